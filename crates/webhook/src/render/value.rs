//! What templates see: names, and the JSON of a body without a copy of it.

use crate::{content::Content, identity::Names};
use headgate_event::{
    json::{Doc, Kind, Node},
    limits::TEMPLATE_ITEMS_MAX,
};
use minijinja::{
    Value,
    value::{Enumerator, Object, ObjectRepr},
};
use std::{cell::OnceCell, sync::Arc};

/// The names that templates may use.
pub(super) const NAMES: [&str; 4] = ["event", "name", "action", "body"];

/// What one event's templates see.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) names: &'a Names,
    pub(super) content: &'a Content,
    /// The same for the engine, made when a template needs it.
    value: OnceCell<Value>,
}

/// A value of a body: the document and where in it.
#[derive(Debug)]
struct Part {
    doc: Arc<Doc>,
    index: usize,
}

/// The names and what they stand for, in the order of [`NAMES`].
#[derive(Debug)]
struct Named([Value; NAMES.len()]);

impl<'a> Subject<'a> {
    pub(super) fn new(names: &'a Names, content: &'a Content) -> Self {
        Self { names, content, value: OnceCell::new() }
    }

    pub(super) fn value(&self) -> Value {
        self.value.get_or_init(|| self.named()).clone()
    }

    fn named(&self) -> Value {
        let of = |text: &str| Value::from(text);
        let body = self.content.doc.as_ref().map(|doc| part(doc, doc.root()));
        Value::from_object(Named([
            of(self.names.event.as_deref().unwrap_or_default()),
            of(&self.names.name),
            of(&self.names.action),
            body.unwrap_or(Value::UNDEFINED),
        ]))
    }
}

impl Object for Named {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = NAMES.iter().position(|name| key.as_str() == Some(name))?;
        self.0.get(at).cloned()
    }
}

fn part(doc: &Arc<Doc>, node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Null => Value::UNDEFINED,
        Kind::Bool => node.as_bool().map_or(Value::UNDEFINED, Value::from),
        Kind::Number => match node.as_i64() {
            Some(number) => Value::from(number),
            // As it was written: no digit of it is lost.
            None => node.scalar().map_or(Value::UNDEFINED, |text| Value::from(text.as_ref())),
        },
        Kind::String => node.as_str().map_or(Value::UNDEFINED, Value::from),
        Kind::Array | Kind::Object => {
            Value::from_object(Part { doc: Arc::clone(doc), index: node.index() })
        }
    }
}

impl Part {
    fn node(&self) -> Option<Node<'_>> {
        self.doc.node(self.index)
    }
}

impl Object for Part {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.node().map(Node::kind) {
            Some(Kind::Array) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let node = self.node()?;
        let found = match key.as_str() {
            Some(key) => node.get(key),
            None => node.at(key.as_usize()?),
        };
        found.map(|node| part(&self.doc, node))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let Some(node) = self.node() else { return Enumerator::Empty };
        let values = match node.kind() {
            Kind::Array => {
                node.items().take(TEMPLATE_ITEMS_MAX).map(|item| part(&self.doc, item)).collect()
            }
            _ => node.entries().take(TEMPLATE_ITEMS_MAX).map(|(key, _)| Value::from(key)).collect(),
        };
        Enumerator::Values(values)
    }

    /// The whole length, although not all of it can be gone through.
    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.node().map(Node::len)
    }
}

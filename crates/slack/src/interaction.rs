//! What people put into buttons, menus and forms.

use crate::{directory::Directory, mapping::scalar, text};
use headgate_event::{
    json::{Kind, Node},
    limits::SLACK_FORM_VALUES_SHOWN_MAX,
};

/// Where a control of Block Kit or of an attachment has the value that somebody gave it.
const VALUES: [&str; 11] = [
    "value",
    "selected_option.value",
    "selected_user",
    "selected_channel",
    "selected_conversation",
    "selected_date",
    "selected_time",
    "selected_date_time",
    "selected_options.0.value",
    "file_id",
    "name",
];
/// The same where it is a list.
const LISTS: [(&str, &str); 7] = [
    ("selected_options", "value"),
    ("selected_users", ""),
    ("selected_channels", ""),
    ("selected_conversations", ""),
    ("selected_files", "id"),
    ("files", "id"),
    ("selected_dates", ""),
];

/// The plain value of the first action of an interaction.
pub(crate) fn value(root: Node<'_>, directory: &Directory) -> Option<String> {
    root.path("actions.0").and_then(|control| of_control(control, directory))
}

/// The value of one control.
fn of_control(control: Node<'_>, directory: &Directory) -> Option<String> {
    for (list, key) in LISTS {
        let Some(list) = control.get(list).filter(|list| list.kind() == Kind::Array) else {
            continue;
        };
        let items = list.items().take(SLACK_FORM_VALUES_SHOWN_MAX);
        let texts: Vec<_> = items.filter_map(|item| scalar_of(item, key)).collect();
        return (!texts.is_empty()).then(|| texts.join(", "));
    }
    if let Some(rich) = control.get("rich_text_value").filter(|rich| rich.kind() == Kind::Object) {
        return Some(text::rich(rich, directory)).filter(|text| !text.is_empty());
    }
    scalar(control, &VALUES).map(|text| text.into_owned())
}

fn scalar_of(item: Node<'_>, key: &str) -> Option<String> {
    let node = if key.is_empty() { Some(item) } else { item.get(key) };
    node.and_then(Node::scalar).map(|text| text.into_owned())
}

/// The values of a form by the ids of its controls, in the order of the form.
pub(crate) fn form_values(root: Node<'_>, directory: &Directory) -> Vec<(String, String)> {
    let blocks = root.path("view.state.values").or_else(|| root.path("state.values"));
    let mut values = Vec::new();
    for (_, block) in blocks.into_iter().flat_map(Node::entries) {
        for (name, control) in block.entries() {
            let value = of_control(control, directory);
            values.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    // A dialog, which came before forms of blocks.
    for (name, value) in root.get("submission").into_iter().flat_map(Node::entries) {
        values.extend(value.scalar().map(|value| (name.to_owned(), value.into_owned())));
    }
    values.truncate(SLACK_FORM_VALUES_SHOWN_MAX);
    values
}

//! The prompt of a request outside of a channel: for whoever writes a provider file, or wants to
//! see what a stored event says by another one.

use crate::{
    Provider,
    content::Content,
    identity::{Identity, Reading},
    render::Received,
};
use bytes::Bytes;
use headgate_event::{
    limits::PROMPT_BYTES_MAX,
    prompt::{self, About, Prompt, PromptKey},
};
use http::{HeaderMap, header};

impl Provider {
    /// The prompt of a request with these headers and this body.
    #[must_use]
    pub fn prompt(
        &self,
        about: &About<'_>,
        headers: &HeaderMap,
        body: &Bytes,
        key: &PromptKey,
    ) -> Prompt {
        let content_type =
            headers.get(header::CONTENT_TYPE).map(|v| String::from_utf8_lossy(v.as_bytes()));
        let content_type = content_type.as_deref();
        self.prompt_by(&self.identity, about, headers, (content_type, body), key)
    }

    /// The prompt of one item of a body that was split.
    #[must_use]
    pub fn prompt_of_item(
        &self,
        about: &About<'_>,
        headers: &HeaderMap,
        item: &Bytes,
        key: &PromptKey,
    ) -> Prompt {
        let split = self.identity.split.as_deref();
        let own = split.and_then(|split| split.identity.as_ref());
        let identity = own.unwrap_or(&self.identity);
        self.prompt_by(identity, about, headers, (Some("application/json"), item), key)
    }

    fn prompt_by(
        &self,
        identity: &Identity,
        about: &About<'_>,
        headers: &HeaderMap,
        (content_type, body): (Option<&str>, &Bytes),
        key: &PromptKey,
    ) -> Prompt {
        let content = Content::read(content_type, body, &identity.form);
        let doc = content.doc.as_deref().map(headgate_event::json::Doc::root);
        let names = identity.names(Reading { headers, body: doc });
        let received = Received { names: &names, content: &content, content_type, body };
        prompt::render(about, &self.templates.render(&received), key, PROMPT_BYTES_MAX)
    }
}

//! The prompt of a request outside of a channel: for whoever writes a provider file, or wants to
//! see what a stored event says by another one.

use crate::{Provider, content::Content, identity::Reading, render::Received};
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
        let content = Content::read(content_type, body, &self.identity.form);
        let doc = content.doc.as_deref().map(headgate_event::json::Doc::root);
        let names = self.identity.names(Reading { headers, body: doc });
        let received = Received { names: &names, content: &content, content_type, body };
        prompt::render(about, &self.templates.render(&received), key, PROMPT_BYTES_MAX)
    }
}

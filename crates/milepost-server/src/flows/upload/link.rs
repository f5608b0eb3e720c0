//! A program's file: a draft that it has put there itself, of which it answers the URL.
//!
//! It is looked at as a form's file is: a draft of the collection that is asked for, of a kind and size that is, and either
//! nobody's in particular or whose it is that asks.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use milepost_semantics::JsonPointer;
use milepost_store::ResourceKey;
use serde_json::Value;

use super::{Settled, hidden, standing::is_marked};
use crate::{
    aside, failure,
    flows::{
        file::{Wanted, plain_name},
        visit::Visit,
    },
    refusal::Refusal,
    route::{self, Route},
    rules::{self, Sightline},
};

impl Visit<'_> {
    /// The resource that a program answers with, or what is wrong with its link.
    pub(super) fn linked(
        &self,
        wanted: &Wanted,
        given: &Value,
    ) -> Result<Result<ResourceKey, String>, Refusal> {
        let (collection, _) = self.drafts(&wanted.collection)?;
        let link = given.get("href").and_then(Value::as_str);
        let named = link.map(|link| route::parse(&self.shared.base, link));
        Ok(match named {
            Some(Ok(Route::Resource(key))) if key.collection == collection => Ok(key),
            _ => {
                let (base, name) = (&self.shared.base, &wanted.collection);
                Err(format!(
                    "must have the href of a draft: put the file at {base}/{name}/{{id}} and answer {{\"href\": …}}"
                ))
            }
        })
    }

    /// Looks at what a program has put there.
    pub(super) async fn looked_at(
        &self,
        wanted: &Wanted,
        key: &ResourceKey,
    ) -> Result<Settled, Refusal> {
        if matches!(self.sightline(&key.collection), Sightline::Nothing) {
            return Err(hidden(&key.collection));
        }
        let found = rules::look_up(self.shared, self.request, key).await;
        let found = found.map_err(|error| failure::of_read(self.shared, error))?;
        let Some((version, body)) = found else {
            let detail = "is not there, or no longer, or the collection's rules don't let who asks read it: put it there again, as their own";
            return Ok(Err(detail.to_owned()));
        };
        let (_, mark) = self.drafts(&wanted.collection)?;
        let name = self.judged((wanted, mark), &body).await?;
        let etag = version.entity_tag().to_string();
        Ok(name.map(|name| Some(self.answer(key, &etag, &name))))
    }

    /// The name of a file that is there, or what is wrong with it.
    pub(super) async fn judged(
        &self,
        (wanted, mark): (&Wanted, JsonPointer),
        body: &Bytes,
    ) -> Result<Result<String, String>, Refusal> {
        let judging = Judging {
            wanted: wanted.clone(),
            resource_bytes_max: self.shared.limits.resource_bytes_max,
            mark,
            subject: self.subject().id().map(str::to_owned),
        };
        aside::work(body, move |body| judging.name(body)).await
    }
}

/// What a draft is judged by.
struct Judging {
    wanted: Wanted,
    resource_bytes_max: usize,
    /// Where `true` says that it is a draft.
    mark: JsonPointer,
    /// Who asks.
    subject: Option<String>,
}

impl Judging {
    /// The name of a file that a program has put there, or what is wrong with it.
    fn name(&self, body: &[u8]) -> Result<String, String> {
        let document: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |member: &str| document.get(member).and_then(Value::as_str);
        if !is_marked(&document, &self.mark) {
            return Err(format!(
                "must be a draft: true stands at {} of one, and no longer once it was handed in",
                self.mark
            ));
        }
        if document.get("by").is_some() && text("by") != self.subject.as_deref() {
            return Err(
                "must be the file of whoever answers with it: its member by names who that is"
                    .to_owned(),
            );
        }
        let content = text("content").map(|content| STANDARD.decode(content));
        let Some(Ok(content)) = content else {
            return Err("must have the file as base64 in its member content".to_owned());
        };
        let kind = self.wanted.judge(&content, self.resource_bytes_max)?;
        if text("mediaType") != Some(kind.media_type()) {
            let kind = kind.media_type();
            return Err(format!("must say what it is: mediaType {kind}"));
        }
        Ok(plain_name(text("name").unwrap_or_default()))
    }
}

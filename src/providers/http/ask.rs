//! One request, described before it is sent.

use crate::sealed::Secret;
use reqwest::Method;
use serde_json::Value;
use url::Url;

/// A request: method, path below the service's address, query, body, and whether it may be sent twice.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(super) method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    continued: Option<String>,
    pub(super) body: Option<Value>,
    pub(super) form: Option<Vec<(String, String)>>,
    slashed: bool,
    pub(super) repeatable: bool,
    pub(super) hidden: Vec<Secret<String>>,
}

impl Ask {
    /// Reads something. Each item of `path` is one segment and is escaped.
    pub fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path, None, true)
    }

    /// Makes something new. Not safe to send twice; see [`Ask::repeatable`].
    pub fn post(path: &[&str], body: Value) -> Self {
        Self::new(Method::POST, path, Some(body), false)
    }

    /// Makes something new of the fields of a form. Not safe to send twice; see [`Ask::repeatable`].
    pub fn form(path: &[&str], fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { form: Some(fields), ..Self::new(Method::POST, path, None, false) }
    }

    /// Changes something to a given state; sending it twice changes nothing.
    pub fn patch(path: &[&str], body: Value) -> Self {
        Self::new(Method::PATCH, path, Some(body), true)
    }

    /// Puts something into a given state; sending it twice changes nothing.
    pub fn put(path: &[&str], body: Value) -> Self {
        Self::new(Method::PUT, path, Some(body), true)
    }

    /// Deletes something; sending it twice changes nothing.
    pub fn delete(path: &[&str]) -> Self {
        Self::new(Method::DELETE, path, None, true)
    }

    fn new(method: Method, path: &[&str], body: Option<Value>, repeatable: bool) -> Self {
        let path = path.iter().map(|s| (*s).to_owned()).collect();
        Self {
            method,
            path,
            query: Vec::new(),
            continued: None,
            body,
            form: None,
            slashed: false,
            repeatable,
            hidden: Vec::new(),
        }
    }

    /// Adds one query parameter.
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Adds one query parameter when there is a value.
    pub fn query_some(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Ends the path with a slash, for services that ask for it.
    pub fn slashed(mut self) -> Self {
        self.slashed = true;
        self
    }

    /// Goes on with the next page: the query comes whole from the page address that the service gave.
    pub fn continued(mut self, query: Option<String>) -> Self {
        self.continued = query;
        self
    }

    /// Marks a POST that may be sent twice without harm.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Names a secret in the body that must never show up in an error message.
    pub fn hide(mut self, secret: &Secret<String>) -> Self {
        self.hidden.push(secret.clone());
        self
    }

    /// The full address, or `None` when a segment is empty or would climb out of the path.
    pub(super) fn url(&self, base: &Url) -> Option<Url> {
        if self.path.iter().any(|s| s.is_empty() || s == "." || s == "..") {
            return None;
        }
        let mut url = base.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(&self.path);
        if self.slashed {
            url.path_segments_mut().ok()?.push("");
        }
        if let Some(query) = &self.continued {
            url.set_query(Some(query));
        } else if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_can_not_climb_or_empty_a_path() {
        let base = Url::parse("https://api.example/v2").unwrap();
        let url = |id: &str| Ask::get(&["calls", id]).url(&base).map(String::from);
        assert_eq!(url("v3:a/b?c").as_deref(), Some("https://api.example/v2/calls/v3:a%2Fb%3Fc"));
        assert_eq!(url(""), None);
        assert_eq!(url(".."), None);
    }
}

use reqwest::header::{ACCEPT, ORIGIN};
use serde_json::Value;

use super::World;

/// A browser with its own cookies. It says where its requests come from, as browsers do.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub location: Option<String>,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The first id in the address that the answer leads to.
    pub fn id(&self) -> Option<String> {
        let location = self.location.as_deref()?;
        location.split(['/', '?', '&', '=']).find(|part| uuid::Uuid::parse_str(part).is_ok()).map(str::to_owned)
    }

    /// The message at a field of a refused form.
    pub fn error_at(&self, field: &str) -> Option<String> {
        let json = self.json();
        let fields = json["detail"].as_array()?;
        fields.iter().find(|pair| pair[0] == field).and_then(|pair| pair[1].as_str().map(str::to_owned))
    }
}

impl Browser {
    pub fn new(world: &World) -> Self {
        Self::from_address(world, "127.0.0.1")
    }

    /// A browser at another address of this machine: tests that guess passwords must not have everybody else's turned away.
    pub fn from_address(world: &World, address: &str) -> Self {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .local_address(address.parse::<std::net::IpAddr>().expect("an address"))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { http, base: world.base.clone() }
    }

    /// Signs in, or panics.
    pub async fn signed_in(world: &World, email: &str) -> Self {
        let browser = Self::new(world);
        let answer = browser.rpc("sign_in", &[("email", email), ("password", super::agency::PASSWORD)]).await;
        assert_eq!(answer.status, 200, "{email} signs in: {answer:?}");
        browser
    }

    /// Calls a server function that must succeed, and returns the answer.
    pub async fn done(&self, name: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.rpc(name, fields).await;
        assert_eq!(answer.status, 200, "{name} {fields:?}: {answer:?}");
        answer
    }

    /// Calls a server function that must succeed and leads to a page whose address ends with an id. Returns the id.
    pub async fn made(&self, name: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.done(name, fields).await;
        answer.id().unwrap_or_else(|| panic!("{name} leads to something with an id: {answer:?}"))
    }

    /// Calls a server function as the page's script does.
    pub async fn rpc(&self, name: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}/rpc/{name}", self.base)).header(ORIGIN, &self.base).form(fields);
        Self::answer(request.header(ACCEPT, "application/json")).await
    }

    /// Sends a form as a browser without script does.
    pub async fn form(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self
            .http
            .post(format!("{}{action}", self.base))
            .header(ORIGIN, &self.base)
            .header("referer", format!("{}{page}", self.base))
            .header(ACCEPT, "text/html")
            .form(fields);
        Self::answer(request).await
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Answer {
        Self::answer(self.http.get(format!("{}{path}", self.base)).header(ACCEPT, "text/html")).await
    }

    /// A request with everything about it given by the test.
    pub fn raw(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Uploads a file with form fields.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], name: &str, bytes: Vec<u8>) -> Answer {
        let mut form = reqwest::multipart::Form::new();
        for (key, value) in fields {
            form = form.text((*key).to_owned(), (*value).to_owned());
        }
        let file = reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned());
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header(ORIGIN, &self.base)
            .header(ACCEPT, "text/html")
            .multipart(form.part("file", file));
        Self::answer(request).await
    }

    pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let location = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let location = location.or_else(|| response.headers().get("serverfnredirect").map(|_| String::new()));
        Answer { status, location, text: response.text().await.unwrap_or_default() }
    }
}

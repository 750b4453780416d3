use reqwest::header::{ACCEPT, ORIGIN};
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::OnceCell;

use super::background::ENDLESS;
use super::{Page, World};

/// A browser with its own cookies. It says where its requests come from, as browsers do.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
    /// How whoever it belongs to comes to be signed in, once they do something.
    arrival: Option<Arc<(Arrival, OnceCell<()>)>>,
}

/// An invitation that is still to come.
pub struct Arrival {
    pub inviter: Browser,
    pub email: String,
    pub role: &'static str,
    pub client: String,
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
            // Each request has a line of its own: the server hangs up on idle ones, and after a body that it did not read to its end.
            .pool_max_idle_per_host(0)
            .timeout(ENDLESS)
            .local_address(address.parse::<std::net::IpAddr>().expect("an address"))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { http, base: world.base.clone(), arrival: None }
    }

    /// A browser of somebody who is invited and joins when they first do something: most tests have no use for most people, and a
    /// password takes its time.
    pub fn of_somebody_new(world: &World, arrival: Arrival) -> Self {
        Self { arrival: Some(Arc::new((arrival, OnceCell::new()))), ..Self::new(world) }
    }

    /// Joins, unless that has happened.
    ///
    /// In a box, because inviting is what a browser does, too.
    pub fn join(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if let Some(arrival) = &self.arrival {
                arrival.1.get_or_init(|| self.arrive(&arrival.0)).await;
            }
        })
    }

    async fn arrive(&self, Arrival { inviter, email, role, client }: &Arrival) {
        let token = super::agency::invitation(inviter, email, role, client).await;
        let fields = [("name", "Petra Person"), ("password", super::agency::PASSWORD)];
        let answer = self.send_form(&format!("/invite/{token}"), "accept_invitation", &fields).await;
        assert_eq!(answer.status, 200, "{email} joins: {answer:?}");
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

    /// Opens a page, fills in the form of it that calls this server function, and sends it as the page's script does: what is given,
    /// and all else that the form holds. Panics when there is no such form, or no field for what is given.
    pub async fn fill(&self, page: &str, name: &str, given: &[(&str, &str)]) -> Answer {
        self.join().await;
        self.send_form(page, name, given).await
    }

    /// The same, and it must succeed.
    pub async fn filled(&self, page: &str, name: &str, given: &[(&str, &str)]) -> Answer {
        let answer = self.fill(page, name, given).await;
        assert_eq!(answer.status, 200, "{name} on {page} {given:?}: {answer:?}");
        answer
    }

    /// The same, and it must lead to a page whose address ends with an id. Returns the id.
    pub async fn made_on(&self, page: &str, name: &str, given: &[(&str, &str)]) -> String {
        let answer = self.filled(page, name, given).await;
        answer.id().unwrap_or_else(|| panic!("{name} on {page} leads to something with an id: {answer:?}"))
    }

    async fn send_form(&self, page: &str, name: &str, given: &[(&str, &str)]) -> Answer {
        let shown = Self::answer(self.http.get(format!("{}{page}", self.base)).header(ACCEPT, "text/html")).await;
        assert_eq!(shown.status, 200, "{page}: {shown:?}");
        let fields = Page::read(&shown.text).filled(&format!("/rpc/{name}"), given);
        let fields = fields.unwrap_or_else(|wrong| panic!("{page}: {wrong}"));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Self::answer(self.function(name, &fields)).await
    }

    /// Calls a server function as the page's script does.
    pub async fn rpc(&self, name: &str, fields: &[(&str, &str)]) -> Answer {
        self.join().await;
        Self::answer(self.function(name, fields)).await
    }

    fn function(&self, name: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}/rpc/{name}", self.base)).header(ORIGIN, &self.base).form(fields);
        request.header(ACCEPT, "application/json")
    }

    /// Sends a form as a browser without script does.
    pub async fn form(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        self.join().await;
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
        self.join().await;
        Self::answer(self.http.get(format!("{}{path}", self.base)).header(ACCEPT, "text/html")).await
    }

    /// A request with everything about it given by the test. Whoever makes it has joined before.
    pub fn raw(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        assert!(self.arrival.as_ref().is_none_or(|arrival| arrival.1.initialized()), "join first");
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// Uploads a file with form fields.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], name: &str, bytes: Vec<u8>) -> Answer {
        self.join().await;
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

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, ORIGIN};
use serde_json::Value;

use super::agencies::{Client, PASSWORD};
use patchbay_shared::error::internal;
use patchbay_shared::{AppError, Reason};

/// A signed-in person who sends the same requests as the pages do.
pub struct Visit {
    http: reqwest::Client,
    base: String,
}

/// Waits until the product answers.
pub(crate) async fn wait_until_ready(base: &str) -> Result<(), AppError> {
    let http = reqwest::Client::new();
    for _ in 0..300 {
        if http.get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(AppError::Transport(format!("{base} did not become ready in thirty seconds.")))
}

impl Visit {
    /// Somebody who has not signed in.
    pub fn new(base: &str) -> Result<Self, AppError> {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(internal)?;
        Ok(Self { http, base: base.to_owned() })
    }

    pub async fn signed_in(base: &str, email: &str) -> Result<Self, AppError> {
        let visit = Self::new(base)?;
        visit.post("sign_in", &[("email", email), ("password", PASSWORD)]).await?;
        Ok(visit)
    }

    /// Calls a server function; gives its answer and the address that it sends the browser to.
    pub async fn post(&self, name: &str, fields: &[(&str, &str)]) -> Result<(Value, String), AppError> {
        let request = self.http.post(format!("{}/rpc/{name}", self.base)).form(fields);
        self.send(name, request.header(ACCEPT, "application/json")).await
    }

    /// Opens a page of the product, as a link from elsewhere leads to it; gives where that leads.
    pub async fn open(&self, address: &str) -> Result<String, AppError> {
        let path = address.splitn(4, '/').nth(3).unwrap_or_default();
        let request = self.http.get(format!("{}/{path}", self.base)).header(ACCEPT, "text/html");
        Ok(self.send(path, request).await?.1)
    }

    /// Uploads a file to one of the product's addresses; gives where that leads.
    pub async fn send_file(&self, path: &str, name: &str, bytes: Vec<u8>) -> Result<String, AppError> {
        let part = reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned());
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = self.http.post(format!("{}{path}", self.base)).multipart(form);
        let (_, location) = self.send(name, request.header(ACCEPT, "text/html")).await?;
        if location.contains("problem=") {
            return Err(AppError::Conflict(
                Reason::WrongState,
                format!("The upload of {name} was refused: {location}"),
            ));
        }
        Ok(location)
    }

    /// Sends what another system would, to an address of the product.
    pub async fn send_signed(&self, address: &str, headers: &[(&str, &str)], body: String) -> Result<(), AppError> {
        // By the address that this process listens on: the public one may lead elsewhere.
        let path = address.splitn(4, '/').nth(3).unwrap_or_default();
        let request = self.http.post(format!("{}/{path}", self.base)).header(CONTENT_TYPE, "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(path, request.body(body)).await.map(|_| ())
    }

    /// Uploads a CSV file for a client; gives the import's id.
    pub async fn upload(&self, client: &str, name: &str, bytes: Vec<u8>) -> Result<String, AppError> {
        let form = reqwest::multipart::Form::new()
            .text("client", client.to_owned())
            .part("file", reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned()));
        let request = self.http.post(format!("{}/contacts/imports/upload", self.base)).multipart(form);
        let (_, location) = self.send("upload", request.header(ACCEPT, "text/html")).await?;
        let id = location.strip_prefix("/contacts/imports/").and_then(|rest| rest.strip_suffix("/mapping"));
        id.map(str::to_owned).ok_or_else(|| {
            AppError::Conflict(Reason::WrongState, format!("The upload of {name} was refused: {location}"))
        })
    }

    /// Imports contacts of a client from a file as its office would save it: first name, last name, phone, company. With a campaign they
    /// are added to it.
    pub async fn import(
        &self,
        client: &Client,
        id: &str,
        rows: &[[String; 4]],
        campaign: Option<&str>,
    ) -> Result<(), AppError> {
        let (separator, heads) = match client.old_spreadsheet {
            true => (";", ["Vorname", "Nachname", "Telefon", "Firma"]),
            false => (",", ["First name", "Last name", "Phone", "Company"]),
        };
        let lines = rows.iter().map(|row| row.join(separator));
        let file: String = std::iter::once(heads.join(separator)).chain(lines).map(|line| line + "\r\n").collect();
        let bytes = match client.old_spreadsheet {
            true => encoding_rs::WINDOWS_1252.encode(&file).0.into_owned(),
            false => file.into_bytes(),
        };
        let name = format!("{}.csv", client.campaign.to_lowercase().replace([' ', ','], "-"));
        let import = self.upload(id, &name, bytes).await?;
        let mapping = [
            ("id", import.as_str()),
            ("form[columns][0]", "first_name"),
            ("form[columns][1]", "last_name"),
            ("form[columns][2]", "phone"),
            ("form[columns][3]", "company"),
            ("form[named]", "on"),
            ("form[country]", client.country),
            ("form[duplicates]", "skip"),
            ("form[campaign]", campaign.unwrap_or_default()),
        ];
        let about = [("id", import.as_str())];
        self.post("check_import", &mapping).await?;
        self.until("The check of the file", "get_import", &about, |answer| answer["status"] == "checked").await?;
        self.post("run_import", &about).await?;
        self.until("The import's end", "get_import", &about, |answer| answer["status"] == "completed").await?;
        Ok(())
    }

    /// Asks again, three minutes at the most, until `done`.
    pub async fn until(
        &self,
        what: &str,
        function: &str,
        fields: &[(&str, &str)],
        done: impl Fn(&Value) -> bool,
    ) -> Result<Value, AppError> {
        for _ in 0..900 {
            let (answer, _) = self.post(function, fields).await?;
            if done(&answer) {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(AppError::Conflict(Reason::WrongState, format!("{what} did not happen within three minutes.")))
    }

    async fn send(&self, name: &str, request: reqwest::RequestBuilder) -> Result<(Value, String), AppError> {
        let response = request.header(ORIGIN, &self.base).send().await.map_err(internal)?;
        let status = response.status();
        let location =
            response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let text = response.text().await.map_err(internal)?;
        if status.is_client_error() || status.is_server_error() {
            return Err(AppError::Conflict(Reason::WrongState, format!("{name} answered {status}: {text}")));
        }
        Ok((serde_json::from_str(&text).unwrap_or(Value::Null), location))
    }
}

/// A text as it is, anything else as JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The id at the end of an address such as `/agents/0193…`.
pub(crate) fn id_in(location: &str) -> String {
    location.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default().to_owned()
}

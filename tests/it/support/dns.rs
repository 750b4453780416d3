use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

/// A name server for TXT records (RFC 1035). It knows what tests tell it, and says of everything else that it does not exist.
pub struct Dns {
    pub address: SocketAddr,
    records: Records,
}

/// Texts by name. None: no answer at all.
type Records = Arc<Mutex<HashMap<String, Option<Vec<String>>>>>;

impl Dns {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("its address");
        let records = Records::default();
        tokio::spawn(serve(socket, records.clone()));
        Self { address, records }
    }

    /// What the TXT records at `name` say from now on.
    pub fn say(&self, name: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.records.lock().expect("records").insert(name.to_owned(), Some(texts));
    }

    /// From now on nobody hears anything about `name`.
    pub fn be_silent_about(&self, name: &str) {
        self.records.lock().expect("records").insert(name.to_owned(), None);
    }
}

async fn serve(socket: UdpSocket, records: Records) {
    let mut packet = [0_u8; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut packet).await {
        if let Some(answer) = answer(&packet[..length], &records) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

fn answer(asked: &[u8], records: &Records) -> Option<Vec<u8>> {
    let (mut at, mut labels) = (12, Vec::new());
    while asked[at] != 0 {
        let end = at + 1 + usize::from(asked[at]);
        labels.push(String::from_utf8_lossy(&asked[at + 1..end]).to_lowercase());
        at = end;
    }
    let question = &asked[12..at + 5];
    let known = records.lock().expect("records").get(&labels.join(".")).cloned();
    let (code, texts) = match known {
        Some(texts) => (0, texts?),
        None => (3, Vec::new()),
    };
    let mut answer = asked[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, texts.len() as u8, 0, 0, 0, 0]);
    answer.extend(question);
    for text in texts {
        let length = text.len() as u8;
        answer.extend([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 1, 0, length + 1, length]);
        answer.extend(text.as_bytes());
    }
    Some(answer)
}

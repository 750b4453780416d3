//! The data of a page or block, read with a server function.
//!
//! `Resource` is compiled anew for every type that it holds, for several kilobytes each time. The whole product shares
//! one here, so a page pays only for reading its own data.

use std::any::Any;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::server::codee::{Decoder, Encoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use patchbay_shared::{AppError, Reason};

/// A page in two steps. Making it asks for its data; calling it builds its view. The router makes a page before it builds
/// the frame around it, so that both ask at the same time, and server and browser number their data alike.
pub type PageView = Arc<dyn Fn() -> AnyView + Send + Sync>;

/// What a server function answered, or will answer. A copy stands for the same data.
pub struct Loaded<T> {
    parcel: Resource<Answer, ParcelCodec>,
    holds: PhantomData<fn() -> T>,
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Loaded<T> {}

/// Asks `fetch` for the data that belongs to `key`, and again whenever `key` changes. On the server the answer waits for
/// it, and carries it to the browser, which then does not ask again.
///
/// Call it where a page is made, never in a view: a view may be built more often on the server than in the browser, and data
/// is matched by its number.
pub fn load<K, T, F>(
    key: impl Fn() -> K + Send + Sync + 'static,
    fetch: impl Fn(K) -> F + Send + Sync + 'static,
) -> Loaded<T>
where
    K: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let key: KeyOf = Box::new(move || Key(Arc::new(key())));
    let fetch: Fetch = Box::new(move |Key(key)| {
        let Some(key) = key.as_any().downcast_ref::<K>() else { unreachable!("a key of the type that was put in") };
        let answer = fetch(key.clone());
        Box::pin(async move { answer.await.map(Payload::seal) })
    });
    Loaded { parcel: resource(key, fetch), holds: PhantomData }
}

fn resource(key: KeyOf, fetch: Fetch) -> Resource<Answer, ParcelCodec> {
    Resource::new_with_options(key, fetch, true)
}

impl<T: DeserializeOwned + Clone + 'static> Loaded<T> {
    /// None while nothing has come yet. Whoever calls it is told of changes.
    pub fn get(&self) -> Option<Result<T, AppError>> {
        self.parcel.get().map(open)
    }

    /// Waits for the data.
    pub async fn ready(self) -> Result<T, AppError> {
        open(self.parcel.await)
    }
}

impl<T> Loaded<T> {
    /// Asks again. The old data stays until the new data is there.
    pub fn refetch(&self) {
        self.parcel.refetch();
    }
}

fn open<T: DeserializeOwned + Clone + 'static>(answer: Answer) -> Result<T, AppError> {
    answer.and_then(|parcel| parcel.open())
}

type Answer = Result<Payload, AppError>;
type KeyOf = Box<dyn Fn() -> Key + Send + Sync>;
type Fetch = Box<dyn Fn(Key) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// A value of any type that can be compared with others of its type.
trait Comparable: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<K: PartialEq + Send + Sync + 'static> Comparable for K {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<K>() == Some(self)
    }
}

#[derive(Clone)]
struct Key(Arc<dyn Comparable>);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(other.0.as_any())
    }
}

type Encode = fn(&dyn Any) -> serde_json::Result<String>;

/// Only the server writes data into a page.
#[cfg(feature = "ssr")]
fn encode<T: Serialize + 'static>(value: &dyn Any) -> serde_json::Result<String> {
    serde_json::to_string(&value.downcast_ref::<T>())
}

#[cfg(not(feature = "ssr"))]
#[expect(clippy::extra_unused_type_parameters, reason = "the server's half uses it")]
fn encode<T: 'static>(_: &dyn Any) -> serde_json::Result<String> {
    Ok("null".to_owned())
}

/// Data of any type: as it was fetched, or as the page brought it.
#[derive(Clone)]
enum Payload {
    Value(Arc<dyn Any + Send + Sync>, Encode),
    Text(Arc<str>),
}

impl Payload {
    fn seal<T: Serialize + Send + Sync + 'static>(value: T) -> Self {
        Self::Value(Arc::new(value), encode::<T>)
    }

    fn open<T: DeserializeOwned + Clone + 'static>(&self) -> Result<T, AppError> {
        match self {
            Self::Value(value, _) => value.downcast_ref().cloned().ok_or_else(unreadable),
            // Bytes, as the answers of server functions are read, so that both share the same code.
            Self::Text(text) => serde_json::from_slice(text.as_bytes()).map_err(|_| unreadable()),
        }
    }
}

/// The page and the script in it are of different versions: a release came in between.
fn unreadable() -> AppError {
    AppError::Conflict(Reason::StalePage, "A new version was released. Reload the page.".to_owned())
}

/// `+` and the data as JSON, or `-` and the error.
struct ParcelCodec;

impl Encoder<Answer> for ParcelCodec {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(answer: &Answer) -> serde_json::Result<String> {
        Ok(match answer {
            Ok(Payload::Value(value, encode)) => format!("+{}", encode(value.as_ref())?),
            Ok(Payload::Text(text)) => format!("+{text}"),
            Err(error) => format!("-{}", serde_json::to_string(error)?),
        })
    }
}

impl Decoder<Answer> for ParcelCodec {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> serde_json::Result<Answer> {
        Ok(match text.strip_prefix('+') {
            Some(text) => Ok(Payload::Text(text.into())),
            None => Err(serde_json::from_slice(text.get(1..).unwrap_or_default().as_bytes())?),
        })
    }
}

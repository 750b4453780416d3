//! Where recordings, logos and files of knowledge are kept: in folders of this machine, or in a bucket that several machines share.

use std::collections::BTreeMap;
use std::path::{Path as Folder, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt, ObjectStoreScheme, RetryConfig};

use patchbay_shared::{AppError, Reason};
use url::Url;
use uuid::Uuid;

/// A bucket. Its settings have the names that the services' own tools use, in small letters: `aws_access_key_id`, `google_service_account`,
/// `azure_storage_account_name` and so on (the configuration keys of the `object_store` crate).
#[derive(Debug, Clone)]
pub struct Bucket {
    /// `s3://bucket/folder`, `gs://bucket/folder` or `az://container/folder`. The folder may be left out.
    pub url: Url,
    /// Settings from the environment. Others' may be among them, which the store does not know: those are passed over.
    pub environment: BTreeMap<String, String>,
    /// Settings that are meant for this store. One that it does not know is an error.
    pub options: BTreeMap<String, String>,
}

/// The stores of the process.
pub(super) struct Stores {
    pub recordings: Arc<dyn ObjectStore>,
    pub logos: Arc<dyn ObjectStore>,
    pub knowledge: Arc<dyn ObjectStore>,
    pub artefacts: Arc<dyn ObjectStore>,
}

impl Stores {
    /// Makes the folders, or readies the bucket, which nobody asks yet. Errors: `Conflict` that names the option.
    pub fn open(data_dir: &Folder, bucket: Option<&Bucket>) -> Result<Self, AppError> {
        let Some(bucket) = bucket else {
            return Ok(Self {
                recordings: folder_store(data_dir.join("recordings"))?,
                logos: folder_store(data_dir.join("logos"))?,
                knowledge: folder_store(data_dir.join("knowledge"))?,
                artefacts: folder_store(data_dir.join("artefacts"))?,
            });
        };
        let (store, above) = bucket.open().map_err(|error| refuse(&bucket.url, &error))?;
        let below = |name: &str| Arc::new(PrefixStore::new(store.clone(), above.clone().join(name)));
        Ok(Self {
            recordings: below("recordings"),
            logos: below("logos"),
            knowledge: below("knowledge"),
            artefacts: below("artefacts"),
        })
    }
}

impl Bucket {
    fn open(&self) -> Result<(Arc<dyn ObjectStore>, Path), Error> {
        let Ok((scheme, path)) = ObjectStoreScheme::parse(&self.url) else { return Err(not_one()) };
        // The three have the same methods, and no trait for them.
        macro_rules! built {
            ($builder:ty) => {{
                let begun =
                    <$builder>::new().with_url(self.url.as_str()).with_client_options(client()).with_retry(RETRY);
                let known = self.environment.iter().filter_map(|(key, value)| Some((key.parse().ok()?, value)));
                let begun = known.fold(begun, |builder, (key, value)| builder.with_config(key, value));
                let mut builder = begun;
                for (key, value) in &self.options {
                    builder = builder.with_config(key.parse()?, value);
                }
                Arc::new(builder.build()?)
            }};
        }
        let store: Arc<dyn ObjectStore> = match scheme {
            ObjectStoreScheme::AmazonS3 => built!(AmazonS3Builder),
            ObjectStoreScheme::GoogleCloudStorage => built!(GoogleCloudStorageBuilder),
            ObjectStoreScheme::MicrosoftAzure => built!(MicrosoftAzureBuilder),
            _ => return Err(not_one()),
        };
        Ok((store, path))
    }
}

fn not_one() -> Error {
    Error::Generic { store: "files", source: "it must begin with s3://, gs:// or az://".into() }
}

/// A person waits for the page with the file: the library's own patience is three minutes.
const RETRY: RetryConfig = RetryConfig {
    backoff: object_store::BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        base: 2.,
    },
    max_retries: 4,
    retry_timeout: Duration::from_secs(20),
};

/// A recording may be listened to for an hour: what must not take long is each piece of it.
fn client() -> ClientOptions {
    let options = ClientOptions::new().with_timeout_disabled().with_read_timeout(Duration::from_secs(30));
    options.with_connect_timeout(Duration::from_secs(5))
}

/// Writes, reads and deletes a small object. Errors: what the store says.
pub(super) async fn tried(store: &dyn ObjectStore) -> Result<(), Error> {
    // One for each try: two processes may look at the same time.
    let place = Path::from(format!("check-{}", Uuid::new_v4().simple()));
    store.put(&place, "Patchbay can write here.".into()).await?;
    let read = async { store.get(&place).await?.bytes().await }.await;
    store.delete(&place).await?;
    read.map(|_| ())
}

/// What people hear when the store of the files cannot do what it is asked. Its own words are for whoever runs the installation.
pub fn files_error(error: Error) -> AppError {
    tracing::error!(cause = %error, "the store of the files failed");
    AppError::Transport("The store of the files does not answer right now. Try again in a moment.".into())
}

fn refuse(url: &Url, error: &Error) -> AppError {
    AppError::Conflict(Reason::Configuration, format!("--files: {url} cannot be used: {error}"))
}

fn folder_store(folder: PathBuf) -> Result<Arc<dyn ObjectStore>, AppError> {
    let opened = std::fs::create_dir_all(&folder)
        .map_err(|error| error.to_string())
        .and_then(|()| LocalFileSystem::new_with_prefix(&folder).map_err(|error| error.to_string()));
    match opened {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(AppError::Conflict(
            Reason::Configuration,
            format!("--data-dir: the folder {} cannot be used: {error}", folder.display()),
        )),
    }
}

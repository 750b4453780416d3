//! Where logos are kept. A logo's name is random and its contents never change, so its address may be kept for ever.

use bytes::Bytes;
use imagesize::ImageType;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use uuid::Uuid;

use crate::model::{LogoProblem, MAX_LOGO, MAX_LOGO_SIDE};
use patchbay_services::files_error;
use patchbay_shared::AppError;

/// The kinds that are taken, with their endings and media types. No SVG: it is a document that can hold a script.
const KINDS: [(&str, &str); 3] = [("png", "image/png"), ("jpg", "image/jpeg"), ("webp", "image/webp")];

/// Where pages find a logo.
pub(crate) fn address(name: &str) -> String {
    format!("/brand/logo/{name}")
}

/// The ending that goes with the contents, whatever the file was called.
pub(crate) fn judge(bytes: &[u8]) -> Result<&'static str, LogoProblem> {
    if bytes.is_empty() {
        return Err(LogoProblem::NoFile);
    }
    if bytes.len() > MAX_LOGO {
        return Err(LogoProblem::TooLarge);
    }
    let ending = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => "png",
        Ok(ImageType::Jpeg) => "jpg",
        Ok(ImageType::Webp) => "webp",
        _ => return Err(LogoProblem::Kind),
    };
    let size = imagesize::blob_size(bytes).map_err(|_| LogoProblem::Kind)?;
    if size.width == 0 || size.height == 0 {
        return Err(LogoProblem::Kind);
    }
    if size.width > MAX_LOGO_SIDE || size.height > MAX_LOGO_SIDE { Err(LogoProblem::TooWide) } else { Ok(ending) }
}

/// Keeps a judged logo; gives its name.
pub(crate) async fn keep(store: &dyn ObjectStore, bytes: Vec<u8>, ending: &str) -> Result<String, AppError> {
    let name = format!("{}.{ending}", Uuid::new_v4().simple());
    store.put(&Path::from(name.as_str()), PutPayload::from(bytes)).await.map_err(files_error)?;
    Ok(name)
}

/// A logo and its media type. Errors: `NotFound`, also for what is no logo's name.
pub(crate) async fn read(store: &dyn ObjectStore, name: &str) -> Result<(Bytes, &'static str), AppError> {
    let (id, ending) = name.split_once('.').ok_or(AppError::NotFound)?;
    let (_, media) = KINDS.iter().find(|(known, _)| *known == ending).ok_or(AppError::NotFound)?;
    let id = Uuid::try_parse(id).map_err(|_| AppError::NotFound)?;
    let found = store.get(&Path::from(format!("{}.{ending}", id.simple()))).await;
    let found = match found {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Err(AppError::NotFound),
        Err(error) => return Err(files_error(error)),
    };
    Ok((found.bytes().await.map_err(files_error)?, media))
}

/// Deletes a logo that nobody shows any more. One that is gone already is fine.
pub(crate) async fn delete(store: &dyn ObjectStore, name: &str) {
    match store.delete(&Path::from(name)).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        Err(error) => tracing::warn!(cause = %error, "could not delete an old logo"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG's head, which names its size.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn a_logo_is_judged_by_its_contents() {
        assert_eq!(judge(&png(64, 64)), Ok("png"));
        assert_eq!(judge(&png(2001, 64)), Err(LogoProblem::TooWide));
        assert_eq!(judge(&png(0, 64)), Err(LogoProblem::Kind));
        assert_eq!(judge(b""), Err(LogoProblem::NoFile));
        assert_eq!(judge(&vec![0; MAX_LOGO + 1]), Err(LogoProblem::TooLarge));
        for bad in [
            &b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"[..],
            b"<script>alert(1)</script>",
            b"GIF89a\x01\0\x01\0\0\0\0",
            b"\x89PNG\r\n\x1a\n",
            b"RIFF\0\0\0\0WEBP",
        ] {
            assert_eq!(judge(bad), Err(LogoProblem::Kind), "{bad:?}");
        }
    }
}

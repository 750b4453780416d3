//! Files in a bucket that several machines share, in place of folders: recordings, logos and files of knowledge.

use super::support::{Agency, Bucket, KEY, World, run_with_bucket};
use super::{brand, knowledge};

#[test]
fn recordings_logos_and_files_of_knowledge_are_kept_in_a_bucket() {
    run_with_bucket(|world, bucket| async move {
        let world: &'static _ = Box::leak(Box::new(world));
        let (agency, works) = Agency::ready(world, "bucket").await;
        // A call's sound.
        let batch = agency.batch(&works.campaign, 1).await;
        agency.finished(&batch).await;
        let list = agency.owner.done("list_calls", &[("query[batch]", &batch)]).await.json();
        let call = list["page"]["rows"][0]["id"].as_str().expect("a call").to_owned();
        let path = format!("/calls/{call}/recording.wav");
        let sound = agency.one.viewer.get(&path).await;
        assert!(sound.status == 200 && sound.text.starts_with("RIFF"), "{}", sound.status);
        assert!(
            !agency.one.viewer.done("get_call", &[("id", &call)]).await.json()["recording"]["peaks"].is_null(),
            "its waveform"
        );
        assert_eq!(agency.two.viewer.get(&path).await.status, 404);
        // A file of knowledge, whose bytes a process of its own reads.
        let (collection, file) = knowledge::filled(&agency).await;
        let saved = agency.member.get(&format!("/knowledge/{collection}/files/{file}")).await;
        assert!(saved.status == 200 && saved.text.starts_with("# Prices"), "{saved:?}");
        agency.owner.upload(brand::LOGO, &[("client", "")], "logo.png", brand::png(64, 64, 9)).await;
        let logo = brand::address(&agency.one.viewer.get("/dashboard").await, "/brand/logo/").expect("the logo");
        assert_eq!(agency.one.viewer.get(&logo).await.status, 200);
        let keys = bucket.keys();
        for folder in ["recordings", "knowledge", "logos"] {
            let below = format!("patchbay/main/{folder}/");
            assert!(keys.iter().any(|key| key.starts_with(&below)), "{folder}: {keys:?}");
        }
        assert_eq!(bucket.open_uploads(), 0, "each was finished");
        // Shut for a while: each page says so, nothing is lost.
        bucket.close(true);
        assert_eq!(agency.one.viewer.get(&path).await.status, 503);
        assert_eq!(agency.one.viewer.get(&format!("/calls/{call}")).await.status, 200, "the call itself is there");
        bucket.close(false);
        assert_eq!(agency.one.viewer.get(&path).await.status, 200);
        // Deleted with its entry.
        agency.admin.done("delete_knowledge_file", &[("id", &file)]).await;
        agency.drain().await;
        assert!(!bucket.keys().iter().any(|key| key.contains("/knowledge/")), "{:?}", bucket.keys());
        // Who runs the installation is told what is wrong with it.
        let kept = bucket.keys();
        let (healthy, said) = doctor(world, &bucket, &bucket.url()).await;
        assert!(healthy && said.contains("ok    files: written, read and deleted"), "{said}");
        assert_eq!(bucket.keys(), kept, "nothing stays of the try");
        for (files, wrong) in [("bucket", "is not a bucket"), ("ftp://bucket/folder", "it must begin with s3://")] {
            let (healthy, said) = doctor(world, &bucket, files).await;
            assert!(!healthy && said.contains("--files: ") && said.contains(wrong), "{said}");
        }
        bucket.close(true);
        let (healthy, said) = doctor(world, &bucket, &bucket.url()).await;
        assert!(!healthy && said.contains("FAIL  files: ") && said.contains("PATCHBAY_FILES"), "{said}");
        assert!(!said.contains("secret-of-tests"), "{said}");
    });
}

/// Whether `patchbay doctor` finds all right, and what it prints.
async fn doctor(world: &World, bucket: &Bucket, files: &str) -> (bool, String) {
    let folder = std::env::temp_dir().join(format!("patchbay-test-{}", uuid::Uuid::now_v7().simple()));
    let site = folder.join("site");
    std::fs::create_dir_all(site.join("pkg/test")).expect("a folder");
    std::fs::write(site.join(".pkg"), "pkg/test\n").expect("an empty site");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_patchbay"));
    command.args(["doctor", "--files", files]).current_dir(&folder);
    command.env("DATABASE_URL", world.owner_url.replace("patchbay_owner@", "patchbay_app@"));
    command.env("PATCHBAY_DATA_DIR", folder.join("data")).env("LEPTOS_SITE_ROOT", &site).env("PATCHBAY_KEYS", KEY);
    command.envs(bucket.settings().into_iter().map(|(key, value)| (key.to_ascii_uppercase(), value)));
    let done = command.output().await.expect("the program");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (done.status.success(), said)
}

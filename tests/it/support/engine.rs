use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// What an image is for tests.
pub const IMAGE: &str = "localhost/patchbay-test:1";
/// One without any program in it.
pub const EMPTY: &str = "localhost/patchbay-empty:1";

/// A container engine of its own: podman with the API that Docker's clients speak, in a temporary folder. Its image is made of busybox, so
/// that nothing is fetched.
pub struct Engine {
    folder: PathBuf,
    service: Mutex<Child>,
}

impl Engine {
    /// None, with the reason printed: this machine has none to try. In CI there is one (`scripts/setup --test`).
    pub fn start() -> Option<Self> {
        let is_root = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t"));
        let is_there =
            |program: &str| ["/usr/bin", "/usr/sbin", "/bin"].iter().any(|at| Path::new(at).join(program).exists());
        let programs = ["podman", "runc", "catatonit", "busybox"];
        if !is_root || !programs.iter().all(|program| is_there(program) || *program == "catatonit") {
            assert!(std::env::var_os("CI").is_none(), "scripts/setup --test installs podman, runc and busybox-static");
            println!("skipped: a container engine takes Linux, root, podman, runc and busybox-static");
            return None;
        }
        let folder = std::env::temp_dir().join(super::unique("engine"));
        std::fs::create_dir_all(&folder).expect("a folder");
        // Of the runtimes, crun refuses control groups of both versions side by side.
        let settings = "[containers]\ndefault_ulimits = [\"nofile=20000:20000\", \"nproc=1000:1000\"]\n\
                        [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\n";
        std::fs::write(folder.join("containers.conf"), settings).expect("settings");
        import(&folder, &busybox(), IMAGE);
        let service = Mutex::new(serve(&folder));
        Some(Self { folder, service })
    }

    /// Makes the image that has nothing in it.
    pub fn empty_image(&self) {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(4);
        archive.append_data(&mut header, "readme", &b"none"[..]).expect("a file");
        import(&self.folder, &archive.into_inner().expect("an archive"), EMPTY);
    }

    /// It does not answer any more; its containers go on.
    pub fn stop(&self) {
        let mut service = self.service.lock().expect("the service");
        let _ = service.kill();
        let _ = service.wait();
        let _ = std::fs::remove_file(self.folder.join("socket"));
    }

    /// It answers again.
    pub fn go_on(&self) {
        *self.service.lock().expect("the service") = serve(&self.folder);
    }

    /// How many containers there are, whether they run or not.
    pub fn containers(&self) -> usize {
        let listed = podman(&self.folder).args(["ps", "--all", "--quiet"]).output().expect("podman runs");
        String::from_utf8_lossy(&listed.stdout).lines().count()
    }

    /// As targets name it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.folder.join("socket").display())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = podman(&self.folder).args(["rm", "--all", "--force", "--time", "0"]).output();
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn import(folder: &Path, content: &[u8], name: &str) {
    let image = folder.join("image.tar");
    std::fs::write(&image, content).expect("an image");
    let imported = podman(folder).arg("import").arg(&image).arg(name).output().expect("podman runs");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
}

/// Its service, once it answers.
fn serve(folder: &Path) -> Child {
    let socket = format!("unix://{}", folder.join("socket").display());
    let service = podman(folder)
        .args(["system", "service", "--time", "0", &socket])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("podman runs");
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while std::os::unix::net::UnixStream::connect(folder.join("socket")).is_err() {
        assert!(std::time::Instant::now() < until, "the engine answers");
        std::thread::yield_now();
    }
    service
}

fn podman(folder: &Path) -> Command {
    let mut command = Command::new("podman");
    command.env("CONTAINERS_CONF", folder.join("containers.conf")).arg("--storage-driver=vfs");
    command.arg("--root").arg(folder.join("root")).arg("--runroot").arg(folder.join("run"));
    command
}

/// A file system of one program under all its names.
fn busybox() -> Vec<u8> {
    let at = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|at| Path::new(at).exists()).expect("busybox");
    let names = Command::new(at).arg("--list").output().expect("busybox runs").stdout;
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = |name: &str, kind: tar::EntryType, content: &[u8], link: Option<&str>| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(if name == "tmp/" { 0o1777 } else { 0o755 });
        header.set_size(content.len() as u64);
        match link {
            Some(to) => archive.append_link(&mut header, name, to).expect("a link"),
            None => archive.append_data(&mut header, name, content).expect("a file"),
        }
    };
    for folder in ["bin/", "etc/", "tmp/"] {
        header(folder, tar::EntryType::Directory, &[], None);
    }
    header("bin/busybox", tar::EntryType::Regular, &std::fs::read(at).expect("busybox"), None);
    header("etc/passwd", tar::EntryType::Regular, b"root:x:0:0::/:/bin/sh\n", None);
    for name in String::from_utf8_lossy(&names).lines().filter(|name| *name != "busybox") {
        header(&format!("bin/{name}"), tar::EntryType::Symlink, &[], Some("busybox"));
    }
    archive.into_inner().expect("an archive")
}

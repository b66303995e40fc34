//! A tree of files that may have another root than this process: a container's, or an image's.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{Error, Read, Result as IoResult};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

/// Symbolic links that are followed in one path, as the kernel does.
const MOST_LINKS: usize = 40;

/// No file that is read here has more text.
const MOST_TEXT: u64 = 1 << 20;

/// The folder that is the tree's root. Paths of its files begin with `/`, as they do inside.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// This process's own.
    pub fn own() -> Self {
        Self("/".into())
    }

    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    pub fn is_own(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// Where this process finds a file of the tree. Links lead to files of the tree, whatever they are called outside.
    pub fn find(&self, file: &Path) -> PathBuf {
        if self.is_own() {
            return file.into();
        }
        let parts = |path: &Path| -> Vec<OsString> {
            let named =
                path.components().rev().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
            named.map(|part| part.as_os_str().to_os_string()).collect()
        };
        let (mut pending, mut inside, mut links) = (parts(file), PathBuf::from("/"), 0);
        while let Some(part) = pending.pop() {
            if part == ".." {
                inside.pop();
                continue;
            }
            let next = inside.join(part);
            match fs::read_link(self.below(&next)) {
                Ok(target) if links < MOST_LINKS => {
                    links += 1;
                    if target.is_absolute() {
                        inside = "/".into();
                    }
                    pending.extend(parts(&target));
                }
                _ => inside = next,
            }
        }
        self.below(&inside)
    }

    /// The text of a file. In another's tree any name may be a pipe's, which would block, or a device's, which may have no end.
    pub fn read(&self, file: &Path) -> IoResult<String> {
        let found = self.find(file);
        let check = |data: fs::Metadata| data.is_file().then_some(()).ok_or_else(|| Error::other("is not a file"));
        check(found.metadata()?)?;
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(found)?;
        check(opened.metadata()?)?;
        let mut bytes = Vec::new();
        opened.take(MOST_TEXT).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The files of a folder, by their paths inside the tree, in order; none where there is no such folder.
    pub fn entries(&self, folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.find(folder)).into_iter().flatten().flatten();
        let mut entries: Vec<PathBuf> = entries.map(|entry| folder.join(entry.file_name())).collect();
        entries.sort();
        entries
    }

    fn below(&self, file: &Path) -> PathBuf {
        self.0.join(file.strip_prefix("/").unwrap_or(file))
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test")]
mod tests {
    use super::Root;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    #[test]
    fn links_stay_inside() {
        let folder = std::env::temp_dir().join(format!("uringaio-root-{}", std::process::id()));
        fs::create_dir_all(folder.join("etc/kept")).expect("a folder");
        fs::write(folder.join("etc/kept/file"), "inside").expect("a file");
        symlink("/etc/kept", folder.join("etc/absolute")).expect("a link");
        symlink("../../../../etc/kept/file", folder.join("etc/relative")).expect("a link");
        symlink("round", folder.join("etc/round")).expect("a link");
        let root = Root::at(&folder);
        for name in ["/etc/kept/file", "/etc/absolute/file", "/etc/relative"] {
            assert_eq!(root.read(Path::new(name)).expect(name), "inside");
        }
        assert!(root.read(Path::new("/etc/round")).is_err());
        symlink("/etc/pipe", folder.join("etc/to-pipe")).expect("a link");
        let pipe =
            std::ffi::CString::new(folder.join("etc/pipe").into_os_string().into_encoded_bytes()).expect("a name");
        // SAFETY: reads the name.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        assert!(root.read(Path::new("/etc/to-pipe")).is_err());
        fs::write(folder.join("etc/latin-1"), b"\xe9 = 1").expect("a file");
        assert_eq!(root.read(Path::new("/etc/latin-1")).expect("text"), "\u{fffd} = 1");
        assert_eq!(root.entries(Path::new("/etc/absolute")), [Path::new("/etc/absolute/file")]);
        fs::remove_dir_all(&folder).expect("it was made here");
    }
}

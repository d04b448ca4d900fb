//! nginx, serving files with `sendfile`, as Debian configures it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::fault::free_port;

use crate::rest::child::Program;

pub(super) struct Nginx {
    program: Program,
    port: u16,
    files: PathBuf,
}

impl Nginx {
    pub(super) async fn start(folder: &Path) -> Self {
        let (port, files) = (free_port(), folder.join("files"));
        fs::create_dir(&files).expect("a folder");
        fs::write(files.join("well"), "").expect("a file");
        let config = folder.join("nginx.conf");
        fs::write(&config, settings(folder, port)).expect("nginx' settings");
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&config);
        let mut program = Program::start(command, &folder.join("nginx.log"));
        program
            .answers(&format!("http://127.0.0.1:{port}/well"))
            .await;
        Self {
            program,
            port,
            files,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub(super) fn put(&self, key: &str, size: usize) {
        let file = self.files.join(key);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, vec![b'x'; size]).expect("a file");
    }

    pub(super) fn url(&self, key: &str) -> String {
        format!("http://127.0.0.1:{}/{key}", self.port)
    }
}

fn settings(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "daemon off; user root; worker_processes auto; pid {folder}/pid; error_log stderr crit;
        events {{ worker_connections 1024; }}
        http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            server {{ listen 127.0.0.1:{port}; root {folder}/files; }} }}"
    )
}

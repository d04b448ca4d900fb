//! Making, starting and stopping the shared server.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use pg::local::Initdb;
use tokio::process::Command;

use super::{SharedCluster, Site};

const SETTINGS: &str = "\
autovacuum = off
checkpoint_timeout = 30min
fsync = off
full_page_writes = off
jit = off
log_min_duration_statement = -1
max_connections = 300
max_replication_slots = 100
max_slot_wal_keep_size = 1GB
max_wal_senders = 100
max_wal_size = 4GB
password_encryption = scram-sha-256
shared_buffers = 128MB
wal_level = logical
";

const ACCESS: &str = "\
host all +testkit_scram 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
local all all trust
";

impl Site {
    /// Starts the server under the site's lock; data that cannot be started is made anew.
    pub(super) async fn start(&self) -> SharedCluster {
        if self.home.join("data/PG_VERSION").exists()
            && let Some(cluster) = self.try_start().await
        {
            return cluster;
        }
        self.stop().await;
        self.make().await;
        let started = self.try_start().await;
        started.unwrap_or_else(|| {
            let log = fs::read_to_string(self.home.join("log")).unwrap_or_default();
            unreachable_server(&log)
        })
    }

    async fn make(&self) {
        fs::create_dir_all(&self.home).expect("the directory of the test cluster");
        self.account
            .own(&self.home)
            .expect("the directory given to Postgres");
        let data = self.home.join("data");
        let initdb = Initdb {
            binaries: &self.binaries,
            account: self.account,
            data: &data,
            password: None,
            settings: SETTINGS,
        };
        initdb.run().await.expect("initdb of the test cluster");
        fs::write(data.join("pg_hba.conf"), ACCESS).expect("the access file");
    }

    /// Leaves the server running on its own: it outlives the test that needed it first.
    async fn try_start(&self) -> Option<SharedCluster> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        drop(listener);
        let home = self.home.display();
        let mut command = self.pg_ctl("start");
        command.arg("-o").arg(format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={home}"
        ));
        let status = command.status().await.expect("pg_ctl runs");
        if !status.success() {
            return None;
        }
        fs::write(self.home.join("port"), port.to_string()).expect("the port file");
        let cluster = SharedCluster {
            port,
            home: self.home.clone(),
        };
        let role = "do $$ begin if to_regrole('testkit_scram') is null then \
                    create role testkit_scram; end if; end $$";
        let mut connection = cluster.connect().await;
        pg::sqlx::raw_sql(role)
            .execute(&mut connection)
            .await
            .expect("the role testkit_scram");
        Some(cluster)
    }

    pub(super) async fn stop(&self) {
        if self.home.join("data").exists() {
            let mut command = self.pg_ctl("stop");
            command.args(["-m", "immediate"]);
            // Fails where it does not run, which is what is wanted.
            let _ = command.status().await;
        }
        if self.home.exists() {
            fs::remove_dir_all(&self.home).expect("the test cluster removed");
        }
    }

    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = Command::new(self.binaries.program("pg_ctl"));
        command
            .args([action, "-w", "-s", "-t", "60", "-D"])
            .arg(self.home.join("data"))
            .arg("-l")
            .arg(self.home.join("log"))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.account.apply(&mut command);
        command
    }
}

#[expect(clippy::panic, reason = "no test can run: say why")]
fn unreachable_server(log: &str) -> ! {
    panic!("the test cluster does not start: {log}")
}

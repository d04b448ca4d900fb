//! Rows as `copy … from stdin (format binary)` takes them: the cheapest way into a table, for
//! Postgres and for us (<https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format").

use pg::sqlx::{self, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The flags, and the length of a header extension: none.
const HEADER_REST: [u8; 8] = [0; 8];
const TRAILER: i16 = -1;
const NULL: i32 = -1;
/// 2000-01-01, from which Postgres counts microseconds, in seconds of Unix' time.
const POSTGRES_EPOCH: i64 = 946_684_800;

/// Rows being written down, column by column.
#[derive(Debug)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    columns: i16,
}

impl Rows {
    /// No rows yet, of `columns` columns each; room for `rows`.
    pub(super) fn new(columns: i16, rows: usize) -> Self {
        const USUAL_ROW: usize = 256;
        let mut bytes = Vec::with_capacity(rows * USUAL_ROW);
        bytes.extend_from_slice(SIGNATURE);
        bytes.extend_from_slice(&HEADER_REST);
        Self { bytes, columns }
    }

    /// Begins a row: all of its columns follow, in order.
    pub(super) fn begin(&mut self) {
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
    }

    fn field(&mut self, value: Option<&[u8]>) {
        let length = value.map_or(NULL, |value| i32::try_from(value.len()).unwrap_or(NULL));
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value.unwrap_or_default());
    }

    /// A column of type `text`, which has no NUL.
    pub(super) fn text(&mut self, value: Option<&str>) {
        match value {
            Some(value) if value.contains('\0') => {
                self.field(Some(value.replace('\0', "\u{fffd}").as_bytes()));
            }
            _ => self.field(value.map(str::as_bytes)),
        }
    }

    pub(super) fn uuid(&mut self, value: Option<Uuid>) {
        self.field(value.as_ref().map(|value| value.as_bytes().as_slice()));
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.field(Some(&[u8::from(value)]));
    }

    pub(super) fn integer(&mut self, value: Option<i32>) {
        self.field(
            value
                .map(i32::to_be_bytes)
                .as_ref()
                .map(<[u8; 4]>::as_slice),
        );
    }

    pub(super) fn bigint(&mut self, value: Option<i64>) {
        self.field(
            value
                .map(i64::to_be_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        );
    }

    pub(super) fn double(&mut self, value: Option<f64>) {
        self.field(
            value
                .map(f64::to_be_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        );
    }

    /// A column of type `timestamptz`.
    pub(super) fn moment(&mut self, value: OffsetDateTime) {
        let seconds = value.unix_timestamp().saturating_sub(POSTGRES_EPOCH);
        let micros = seconds.saturating_mul(1_000_000) + i64::from(value.microsecond());
        self.bigint(Some(micros));
    }

    /// Writes them, by `statement`.
    pub(super) async fn send(
        mut self,
        connection: &mut PgConnection,
        statement: &'static str,
    ) -> Result<(), sqlx::Error> {
        self.bytes.extend_from_slice(&TRAILER.to_be_bytes());
        let mut copy = connection.copy_in_raw(statement).await?;
        copy.send(self.bytes).await?;
        copy.finish().await.map(drop)
    }
}

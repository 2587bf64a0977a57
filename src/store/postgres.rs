//! The PostgreSQL executor. tokio-postgres runs on its own runtime behind the synchronous API, because
//! only there can every statement have a time-out: the synchronous crate has none and hung for 20 s
//! behind a stalled proxy.

use std::future::Future;
use std::time::Duration;

use prometheus::Histogram;
use r2d2::{ManageConnection, Pool, PooledConnection};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Error, Row, Sql, Value, tls};

/// Time limits: for connecting, for waiting for a pooled connection, and for a statement.
const CONNECT: Duration = Duration::from_secs(3);
const ACQUIRE: Duration = Duration::from_secs(2);
const STATEMENT: Duration = Duration::from_secs(4);
/// Migrations may wait for another instance that migrates.
const SCHEMA: Duration = Duration::from_mins(2);
/// Connections per instance.
const CONNECTIONS: u32 = 16;
/// The advisory lock that instances take to change the schema: an arbitrary number of our own.
const SCHEMA_LOCK: i64 = 0x0C0D_E516;

pub(super) struct Database {
    pool: Pool<Manager>,
    /// One connection for polls.
    polling: Pool<Manager>,
    // Shut down without waiting: dropping a runtime inside asynchronous code panics.
    runtime: Option<Runtime>,
    /// How long work waited for a connection, in seconds.
    waits: Histogram,
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Database {
    /// Reads the URL; the first connection is opened when it is needed.
    pub(super) fn open(url: &str, waits: Histogram) -> Result<Self, Error> {
        let mut config: Config = url.parse().map_err(|_| {
            // The parser's own message may repeat the password.
            Error::Unusable(
                "COUNTERSIGN_DATABASE_URL cannot be read. Its format is \
                 postgres://user:password@host:5432/countersign?sslmode=require."
                    .into(),
            )
        })?;
        config.connect_timeout(CONNECT).application_name("countersign");
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("countersign-postgres")
            .enable_all()
            .build()
            .map_err(|error| Error::Failed(error.into()))?;
        let manager = Manager { config, tls: tls::connector()?, handle: runtime.handle().clone() };
        let pool = |connections| {
            Pool::builder()
                .max_size(connections)
                .min_idle(Some(0))
                .connection_timeout(ACQUIRE)
                .test_on_check_out(true)
                .error_handler(Box::new(r2d2::NopErrorHandler))
                .build_unchecked(manager.clone())
        };
        Ok(Self { pool: pool(CONNECTIONS), polling: pool(1), runtime: Some(runtime), waits })
    }

    pub(super) fn read<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&mut self.connection()?)
    }

    pub(super) fn poll<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&mut self.taken(&self.polling)?)
    }

    pub(super) fn snapshot<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        self.in_transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work)
    }

    pub(super) fn write<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        self.in_transaction("BEGIN", work)
    }

    /// The server's clock, unix seconds.
    pub(super) fn clock(&self) -> Result<i64, Error> {
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)";
        let row = self.connection()?.query_one(sql, &[])?;
        row.ok_or_else(|| Error::Failed("the server has no clock".into()))?.int(0)
    }

    fn in_transaction<T, E: From<Error>>(
        &self,
        begin: &str,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut db = self.connection()?;
        db.control(begin)?;
        // A connection that is returned before the end, for example by a panic, is discarded.
        db.connection.in_transaction = true;
        match work(&mut db) {
            Ok(answer) => {
                db.finish("COMMIT")?;
                Ok(answer)
            }
            Err(error) => {
                // The caller's error is returned; a connection that cannot roll back is dropped.
                if let Err(cause) = db.finish("ROLLBACK") {
                    tracing::debug!(%cause, "a rollback failed");
                }
                Err(error)
            }
        }
    }

    fn connection(&self) -> Result<Executor, Error> {
        let _waited = self.waits.start_timer();
        self.taken(&self.pool)
    }

    fn taken(&self, pool: &Pool<Manager>) -> Result<Executor, Error> {
        let connection = pool.get().map_err(|error| Error::Unavailable(error.into()))?;
        Ok(Executor { connection, handle: self.pool_handle() })
    }

    fn pool_handle(&self) -> Handle {
        self.runtime.as_ref().expect("the runtime lives as long as the database").handle().clone()
    }
}

#[derive(Clone)]
struct Manager {
    config: Config,
    tls: MakeRustlsConnect,
    handle: Handle,
}

struct Connection {
    client: Client,
    task: AbortHandle,
    in_transaction: bool,
    /// A statement took too long: it is unknown what the server did.
    lost: bool,
}

impl Drop for Connection {
    /// Without this, the task would keep the socket until the overdue answer arrives.
    fn drop(&mut self) {
        if self.lost {
            self.task.abort();
        }
    }
}

impl ManageConnection for Manager {
    type Connection = Connection;
    /// The pool repeats this error's message after a wait in vain, so the message contains the cause.
    type Error = std::io::Error;

    fn connect(&self) -> Result<Connection, std::io::Error> {
        self.handle.block_on(async {
            let connecting = self.config.connect(self.tls.clone());
            let (client, connection) = tokio::time::timeout(CONNECT, connecting)
                .await
                .map_err(|_| std::io::Error::other("connecting took too long"))?
                .map_err(|error| std::io::Error::other(explained(&error)))?;
            let task = tokio::spawn(connection).abort_handle();
            Ok(Connection { client, task, in_transaction: false, lost: false })
        })
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), std::io::Error> {
        if self.has_broken(connection) {
            return Err(std::io::Error::other("the connection was closed"));
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.in_transaction || connection.lost || connection.client.is_closed()
    }
}

struct Executor {
    connection: PooledConnection<Manager>,
    handle: Handle,
}

impl Executor {
    /// Runs one exchange with the server. After a time-out, it is unknown what the server did, so the
    /// connection is not used again.
    fn run<T>(
        &mut self,
        limit: Duration,
        exchange: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        // A ROLLBACK would wait just as long after the statement that took too long; the server rolls
        // back the transaction when the connection is closed.
        if self.connection.lost {
            return Err(Error::Unavailable("the connection was abandoned".into()));
        }
        let client = &self.connection.client;
        let answer = self.handle.block_on(timeout(limit, exchange(client)));
        if let Some(answer) = answer {
            answer.map_err(|error| classify(&error))
        } else {
            self.connection.lost = true;
            Err(Error::Unavailable("a statement took too long".into()))
        }
    }

    /// Starts or ends a transaction: not with `batch`, which has the long time limit of migrations.
    fn control(&mut self, how: &str) -> Result<(), Error> {
        self.run(STATEMENT, async |client| client.batch_execute(how).await)
    }

    fn finish(&mut self, how: &str) -> Result<(), Error> {
        self.control(how)?;
        self.connection.in_transaction = false;
        Ok(())
    }
}

async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

impl Sql for Executor {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, Error> {
        let args = typed(args);
        self.run(STATEMENT, async |client| client.execute_typed(sql, &args).await)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error> {
        let args = typed(args);
        let rows = self.run(STATEMENT, async |client| client.query_typed(sql, &args).await)?;
        rows.iter().map(read_row).collect()
    }

    fn hold(&mut self, table: &str, sql: &str, args: &[Value]) -> Result<Vec<Row>, Error> {
        self.query(&format!("{sql} FOR NO KEY UPDATE OF {table}"), args)
    }

    fn batch(&mut self, script: &str) -> Result<(), Error> {
        // "C" sorts by bytes, as SQLite does.
        let script = script.replace(" TEXT", " TEXT COLLATE \"C\"");
        self.run(SCHEMA, async |client| client.batch_execute(&script).await)
    }

    fn lock_schema(&mut self) -> Result<(), Error> {
        self.batch(&format!("SELECT pg_advisory_xact_lock({SCHEMA_LOCK})"))
    }
}

fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::UNKNOWN, // the server infers it from the place
        Value::Int(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
    }
}

fn typed(args: &[Value]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    args.iter().map(|value| (value as &(dyn ToSql + Sync), type_of(value))).collect()
}

fn read_row(row: &tokio_postgres::Row) -> Result<Row, Error> {
    let failed = |error: tokio_postgres::Error| Error::Failed(explained(&error).into());
    let mut read = Row::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        if *column.type_() == Type::INT8 {
            read.push_int(row.try_get(index).map_err(failed)?);
        } else {
            match row.try_get::<_, Option<&str>>(index).map_err(failed)? {
                Some(text) => read.push_text(text),
                None => read.push_int(None),
            }
        }
    }
    Ok(read)
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql(kind, out),
            Self::Text(value) => value.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn classify(error: &tokio_postgres::Error) -> Error {
    let Some(refusal) = error.as_db_error() else {
        return Error::Unavailable(explained(error).into());
    };
    let code = refusal.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        // "Key (messenger_id, version)=(default, 1) already exists.", in the server's language. The
        // constraint's name cannot be used: a primary key's name has no column, and "…_key" may be a
        // column.
        let columns = refusal.detail().and_then(|detail| detail.split_once('(')).map(|(_, columns)| columns);
        let first = columns.and_then(|columns| columns.split([',', ')']).next());
        let column = first.or(refusal.constraint()).unwrap_or_default();
        return Error::Conflict(format!("{}.{column}", refusal.table().unwrap_or_default()));
    }
    if *code == SqlState::T_R_DEADLOCK_DETECTED || *code == SqlState::T_R_SERIALIZATION_FAILURE {
        return Error::Undone(explained(error).into());
    }
    // Classes of SQLSTATE: 08 connection, 40 rolled back (deadlock), 53 resources, 57 operator,
    // 55 object not ready, 25006 read-only (a standby).
    let class = &code.code()[..2];
    let is_away = matches!(class, "08" | "40" | "53" | "55" | "57") && *code != SqlState::PROTOCOL_VIOLATION;
    if is_away || *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Error::Unavailable(explained(error).into());
    }
    Error::Failed(explained(error).into())
}

/// An error of the driver with all its causes, for the log. Of the server's answer, this includes the
/// SQLSTATE, the message, and the table; its detail, hint and context repeat values of rows, and so does
/// the part after the colon in messages of class 22 (data).
fn explained(error: &tokio_postgres::Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        let (code, mut message) = (refusal.code().code(), refusal.message());
        if code.starts_with("22") {
            message = message.split(':').next().unwrap_or_default();
        }
        let table = refusal.table().map(|table| format!(" (table {table})")).unwrap_or_default();
        return format!("{} {code}: {message}{table}", refusal.severity());
    }
    let first = std::error::Error::source(error);
    let causes = std::iter::successors(first, |cause| cause.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

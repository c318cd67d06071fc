use crate::reused_token::{Failure, ReusedToken, seconds_of};
use deadpool_postgres::{Connect, Hook, HookError, Manager, Pool};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{env, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

type Connected = Result<(Client, JoinHandle<()>), Error>;

struct WithToken {
    token: Arc<ReusedToken>,
    tls: MakeRustlsConnect,
}

impl Connect for WithToken {
    /// Called for each new connection.
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Connected> + Send + '_>> {
        let mut config = config.clone();
        Box::pin(async move {
            match self.token.get().await {
                Ok(token) => _ = config.password(token),
                Err(error) => eprintln!("no token: {error}"), // the driver then says that the password is missing
            };
            let (client, connection) = config.connect(self.tls.clone()).await?;
            let ended = async { connection.await.unwrap_or_else(|error| eprintln!("a connection ended: {error}")) };
            Ok((client, tokio::spawn(ended)))
        })
    }
}

pub struct Recipe {
    pool: Pool,
}

impl Recipe {
    pub async fn new() -> Result<Self, Failure> {
        // The driver reads no variables of libpq.
        let variables = ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSSLROOTCERT"];
        let [host, port, user, database, ca] = variables.map(|name| env::var(name).expect(name));
        let token = ReusedToken::new(&host, &port, &user).await?;

        let mut authorities = rustls::RootCertStore::empty();
        authorities.add_parsable_certificates(CertificateDer::pem_file_iter(ca)?.filter_map(Result::ok));
        let tls = rustls::ClientConfig::builder().with_root_certificates(authorities).with_no_client_auth();

        let mut config = Config::new();
        config.host(&host).port(port.parse()?).user(&user).dbname(&database).ssl_mode(SslMode::Require);
        let connect = WithToken { token: Arc::new(token), tls: MakeRustlsConnect::new(tls) };
        let lifetime = seconds_of("CONNECTION_SECONDS").unwrap_or(Duration::from_secs(1800));
        let pool = Pool::builder(Manager::from_connect(config, connect, Default::default()))
            .pre_recycle(Hook::sync_fn(move |_, metrics| {
                if metrics.age() > lifetime { Err(HookError::message("it is old")) } else { Ok(()) } // then it is replaced
            }))
            .build()?;
        Ok(Self { pool })
    }

    pub async fn query(&self, sql: &str) -> Result<String, Failure> {
        Ok(self.pool.get().await?.query_one(sql, &[]).await?.get(0))
    }

    pub fn close(&self) {
        self.pool.close();
    }
}

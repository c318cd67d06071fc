import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.Credentials;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.Supplier;

final class Recipe {
  private static final String HOST = System.getenv("PGHOST");
  private static final String PORT = System.getenv("PGPORT");
  private static final String USER = System.getenv("PGUSER");
  private static final Supplier<String> TOKEN = new ReusedToken(HOST, PORT, USER);
  private static final HikariDataSource POOL = new HikariDataSource(config());

  private static HikariConfig config() {
    HikariConfig config = new HikariConfig();
    // The driver reads no variables of libpq.
    config.setJdbcUrl("jdbc:postgresql://" + HOST + ":" + PORT + "/" + System.getenv("PGDATABASE"));
    config.addDataSourceProperty("sslmode", "verify-full");
    config.addDataSourceProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
    config.setCredentialsProvider(() -> Credentials.of(USER, TOKEN.get())); // called for each new connection
    config.setMaxLifetime(1_800_000); // in milliseconds; HikariCP takes at least 30,000
    config.setConnectionTimeout(5_000); // then an error, whose cause is the one of the driver
    config.setInitializationFailTimeout(-1); // starts without a database, too
    return config;
  }

  static String query(String sql) throws SQLException {
    try (Connection connection = POOL.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getString(1);
    }
  }

  static void close() {
    POOL.close();
  }
}

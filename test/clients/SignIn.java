import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;
import org.postgresql.util.DriverInfo;

/** Signs in with the token in TOKEN and prints what STATEMENT gives, or the refusal. With an argument: tells the versions. */
public class SignIn {
  public static void main(String[] arguments) {
    if (arguments.length > 0) {
      System.out.println(DriverInfo.DRIVER_FULL_NAME + ", Java " + System.getProperty("java.version"));
      return;
    }
    Properties properties = new Properties();
    properties.setProperty("user", "mario.rossi@example.com");
    properties.setProperty("password", System.getenv("TOKEN"));
    properties.setProperty("sslmode", "verify-full");
    properties.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
    String url = "jdbc:postgresql://" + System.getenv("ENDPOINT") + ":5432/my_database";
    try (Connection connection = DriverManager.getConnection(url, properties);
        ResultSet result = connection.createStatement().executeQuery(System.getenv("STATEMENT"))) {
      result.next();
      System.out.println(result.getString(1));
    } catch (SQLException error) {
      System.err.println("failed: " + error.getMessage());
      System.exit(1);
    }
  }
}

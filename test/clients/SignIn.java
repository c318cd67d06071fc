import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;

/** Signs in with the token in TOKEN and prints what STATEMENT gives, or the refusal. */
public class SignIn {
  public static void main(String[] arguments) {
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
      System.err.println(error.getSQLState() + " " + error.getMessage());
      System.exit(1);
    }
  }
}

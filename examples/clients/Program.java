import java.io.BufferedReader;
import java.io.InputStreamReader;

/** The same as program.mjs, for a recipe in Java, with which it is compiled. */
final class Program {
  public static void main(String[] arguments) throws Exception {
    BufferedReader statements = new BufferedReader(new InputStreamReader(System.in));
    for (String statement = statements.readLine(); statement != null; statement = statements.readLine()) {
      String answer;
      try {
        answer = Recipe.query(statement);
      } catch (Exception error) {
        answer = "error: " + messagesOf(error).replaceAll("\\s+", " ");
      }
      System.out.println("> " + answer);
    }
    Recipe.close();
  }

  /** A pool puts the error of the driver into one of its own. */
  private static String messagesOf(Throwable error) {
    return error.getMessage() + (error.getCause() == null ? "" : ": " + messagesOf(error.getCause()));
  }
}

// Read, not run: a local database for all tests of a JVM. @ExtendWith(LocalDatabase.class), and then LocalDatabase.variables().
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

public final class LocalDatabase implements BeforeAllCallback, ExtensionContext.Store.CloseableResource {
  private static final Pattern LINE = Pattern.compile("^\\. '(.+)' #");
  private static final Pattern VARIABLE = Pattern.compile("^export (\\w+)='(.*)'$", Pattern.MULTILINE);
  private static final Map<String, String> VARIABLES = new HashMap<>();

  /** PGHOST and so on. The AWS SDK for Java reads the files and the profile as aws.sharedCredentialsFile, aws.configFile, aws.profile and aws.region. */
  public static Map<String, String> variables() {
    return VARIABLES;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    // The store of the root is closed after the last test.
    context.getRoot().getStore(ExtensionContext.Namespace.GLOBAL).getOrComputeIfAbsent(LocalDatabase.class.getName(), key -> {
      start();
      return this;
    });
  }

  @Override
  public void close() {
    run("down");
  }

  private static void start() {
    String app = System.getenv().getOrDefault("CDK_OUT", "cdk.out");
    Matcher line = LINE.matcher(run("up", app, "--user", "orders", "--detach"));
    if (!line.find()) {
      throw new IllegalStateException("up --detach printed no file");
    }
    try {
      Matcher variable = VARIABLE.matcher(Files.readString(Path.of(line.group(1))));
      while (variable.find()) {
        VARIABLES.put(variable.group(1), variable.group(2));
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    System.setProperty("aws.sharedCredentialsFile", VARIABLES.get("AWS_SHARED_CREDENTIALS_FILE"));
    System.setProperty("aws.configFile", VARIABLES.get("AWS_CONFIG_FILE"));
    System.setProperty("aws.profile", VARIABLES.get("AWS_PROFILE"));
    System.setProperty("aws.region", VARIABLES.get("AWS_REGION"));
  }

  private static String run(String... args) {
    List<String> command = new ArrayList<>(List.of("npx", "cdk-aurora-iam-auth-cli"));
    command.addAll(List.of(args));
    try {
      Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      String output = new String(process.getInputStream().readAllBytes());
      if (process.waitFor() != 0) {
        throw new IllegalStateException(String.join(" ", command) + " failed");
      }
      return output;
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}

import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.rds.RdsUtilities;

/** A token that is used for all new connections of ten minutes: RDS throttles new connections, but not those with the same token. */
final class ReusedToken implements Supplier<String> {
  /** RDS accepts a token for 15 minutes, and not after the credentials that it was signed with have expired. */
  private static final Duration REUSE = Duration.ofSeconds(Long.parseLong(System.getenv().getOrDefault("TOKEN_REUSE_SECONDS", "600")));
  private static final Duration MARGIN = Duration.ofMinutes(1);

  private final DefaultCredentialsProvider credentialsNow = DefaultCredentialsProvider.builder().build();
  private final RdsUtilities signer = RdsUtilities.builder().region(new DefaultAwsRegionProviderChain().getRegion()).build();
  private final String host;
  private final int port;
  private final String user;
  private String token;
  private Instant renewAt = Instant.MIN;

  ReusedToken(String host, String port, String user) {
    this.host = host;
    this.port = Integer.parseInt(port);
    this.user = user;
  }

  /** What a pool calls for the password of each new connection: it signs only when the token gets old. */
  @Override
  public synchronized String get() {
    if (!Instant.now().isBefore(renewAt)) {
      AwsCredentials credentials = credentialsNow.resolveCredentials();
      Instant reusedUntil = Instant.now().plus(REUSE);
      token = signer.generateAuthenticationToken(request ->
          request.hostname(host).port(port).username(user).credentialsProvider(StaticCredentialsProvider.create(credentials)));
      renewAt = credentials.expirationTime().map(time -> time.minus(MARGIN)).filter(reusedUntil::isAfter).orElse(reusedUntil);
    }
    return token;
  }
}

package example;

import io.github.example.cdk.auroraiamauth.AuroraIamAuth;
import io.github.example.cdk.auroraiamauth.DatabaseUser;
import java.util.List;
import software.amazon.awscdk.App;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.iam.AccountRootPrincipal;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.rds.AuroraPostgresClusterEngineProps;
import software.amazon.awscdk.services.rds.AuroraPostgresEngineVersion;
import software.amazon.awscdk.services.rds.ClusterInstance;
import software.amazon.awscdk.services.rds.DatabaseCluster;
import software.amazon.awscdk.services.rds.DatabaseClusterEngine;
import software.constructs.Construct;

/** A database, one person who signs in with IAM, and the role this person does it with. */
public final class QuickStart extends Stack {
  private QuickStart(Construct scope, String id) {
    super(scope, id);
    DatabaseCluster cluster = DatabaseCluster.Builder.create(this, "Cluster")
        .engine(DatabaseClusterEngine.auroraPostgres(AuroraPostgresClusterEngineProps.builder()
            .version(AuroraPostgresEngineVersion.VER_17_7)
            .build()))
        .writer(ClusterInstance.serverlessV2("writer"))
        .vpc(Vpc.Builder.create(this, "Vpc").maxAzs(2).build())
        .defaultDatabaseName("shop")
        .cloudwatchLogsExports(List.of("iam-db-auth-error"))
        .build();

    AuroraIamAuth iamAuth = AuroraIamAuth.Builder.create(this, "IamAuth").cluster(cluster).build();
    DatabaseUser mario = iamAuth.addUser("mario.rossi@example.com");

    Role operator = Role.Builder.create(this, "Operator").assumedBy(new AccountRootPrincipal()).build();
    Role.Builder.create(this, "Visitor").assumedBy(new AccountRootPrincipal()).build(); // without a grant: may not sign in

    // `cdk deploy -c grant=false` takes the access away again.
    if (!"false".equals(getNode().tryGetContext("grant"))) {
      mario.grantConnect(operator);
    }
    CfnOutput.Builder.create(this, "Connect").value(mario.psqlCommand()).build();
  }

  public static void main(String[] args) {
    App app = new App();
    new QuickStart(app, "QuickStart");
    app.synth();
  }
}

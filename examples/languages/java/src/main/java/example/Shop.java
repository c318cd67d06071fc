package example;

import io.github.example.cdk.auroraiamauth.AddDatabaseRoleOptions;
import io.github.example.cdk.auroraiamauth.AddDatabaseUserOptions;
import io.github.example.cdk.auroraiamauth.AuroraIamAuth;
import io.github.example.cdk.auroraiamauth.CreateObjectsPrivilegesOptions;
import io.github.example.cdk.auroraiamauth.DatabaseRole;
import io.github.example.cdk.auroraiamauth.DatabaseUser;
import io.github.example.cdk.auroraiamauth.DatabaseUsers;
import io.github.example.cdk.auroraiamauth.DatabaseUsersOptions;
import io.github.example.cdk.auroraiamauth.IDatabaseUser;
import io.github.example.cdk.auroraiamauth.Privileges;
import io.github.example.cdk.auroraiamauth.ReadOnlyPrivilegesOptions;
import io.github.example.cdk.auroraiamauth.ReadWritePrivilegesOptions;
import java.util.List;
import software.amazon.awscdk.App;
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

/** A service, the migrations that make its tables, and people who may read them. */
public final class Shop extends Stack {
  private Shop(Construct scope, String id) {
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

    DatabaseUser migrator = iamAuth.addUser("migrator", AddDatabaseUserOptions.builder()
        .privileges(List.of(Privileges.createObjects(CreateObjectsPrivilegesOptions.builder().database("shop").build())))
        .build());

    // To rename this user later, keep the id and pass another name with `.username("purchases")`.
    DatabaseUser orders = iamAuth.addUser("orders", AddDatabaseUserOptions.builder()
        .privileges(List.of(Privileges.readWrite(ReadWritePrivilegesOptions.builder()
            .database("shop")
            .objectsCreatedBy(List.of(migrator))
            .build())))
        .build());
    DatabaseRole readers = iamAuth.addRole("readers", AddDatabaseRoleOptions.builder()
        .privileges(List.of(Privileges.readOnly(ReadOnlyPrivilegesOptions.builder()
            .database("shop")
            .objectsCreatedBy(List.of(migrator))
            .build())))
        .build());
    DatabaseUsers analysts = iamAuth.addUsers("Analysts", DatabaseUsersOptions.builder()
        .usernames(List.of("ada", "grace"))
        .privileges(List.of(Privileges.memberOf(readers)))
        .build());

    for (IDatabaseUser user : List.of(migrator, orders, analysts.user("ada"), analysts.user("grace"))) {
      user.grantConnect(Role.Builder.create(this, user.getUsername() + " role").assumedBy(new AccountRootPrincipal()).build());
    }
  }

  public static void main(String[] args) {
    App app = new App();
    new Shop(app, "Shop");
    app.synth();
  }
}

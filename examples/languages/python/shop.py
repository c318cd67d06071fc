"""A service, the migrations that make its tables, and people who may read them."""

from aws_cdk import App, Stack, aws_ec2 as ec2, aws_iam as iam, aws_rds as rds
from cdk_aurora_iam_auth import AuroraIamAuth, Privileges
from constructs import Construct


class Shop(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        cluster = rds.DatabaseCluster(
            self,
            "Cluster",
            engine=rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_17_7),
            writer=rds.ClusterInstance.serverless_v2("writer"),
            vpc=ec2.Vpc(self, "Vpc", max_azs=2),
            default_database_name="shop",
            cloudwatch_logs_exports=["iam-db-auth-error"],
        )
        iam_auth = AuroraIamAuth(self, "IamAuth", cluster=cluster)

        migrator = iam_auth.add_user("migrator", privileges=[Privileges.create_objects(database="shop")])

        # To rename this user later, keep the id and pass another name: add_user("orders", username="purchases", ...).
        orders = iam_auth.add_user("orders", privileges=[Privileges.read_write(database="shop", objects_created_by=[migrator])])
        readers = iam_auth.add_role("readers", privileges=[Privileges.read_only(database="shop", objects_created_by=[migrator])])
        analysts = iam_auth.add_users("Analysts", usernames=["ada", "grace"], privileges=[Privileges.member_of(readers)])

        for user in [migrator, orders, analysts.user("ada"), analysts.user("grace")]:
            user.grant_connect(iam.Role(self, f"{user.username} role", assumed_by=iam.AccountRootPrincipal()))


app = App()
Shop(app, "Shop")
app.synth()

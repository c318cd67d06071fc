"""A database, one person who signs in with IAM, and the role this person does it with."""

from aws_cdk import App, CfnOutput, Stack, aws_ec2 as ec2, aws_iam as iam, aws_rds as rds
from cdk_aurora_iam_auth import AuroraIamAuth
from constructs import Construct


class QuickStart(Stack):
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
        mario = iam_auth.add_user("mario.rossi@example.com")

        operator = iam.Role(self, "Operator", assumed_by=iam.AccountRootPrincipal())
        iam.Role(self, "Visitor", assumed_by=iam.AccountRootPrincipal())  # without a grant: may not sign in

        # `cdk deploy -c grant=false` takes the access away again.
        if self.node.try_get_context("grant") != "false":
            mario.grant_connect(operator)
        CfnOutput(self, "Connect", value=mario.psql_command())


app = App()
QuickStart(app, "QuickStart")
app.synth()

// A database, one person who signs in with IAM, and the role this person does it with.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/jsii-runtime-go"
	"github.com/example/cdk-aurora-iam-auth-go/cdkauroraiamauth"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("QuickStart"), nil)
	cluster := awsrds.NewDatabaseCluster(stack, jsii.String("Cluster"), &awsrds.DatabaseClusterProps{
		Engine: awsrds.DatabaseClusterEngine_AuroraPostgres(&awsrds.AuroraPostgresClusterEngineProps{
			Version: awsrds.AuroraPostgresEngineVersion_VER_17_7(),
		}),
		Writer:                awsrds.ClusterInstance_ServerlessV2(jsii.String("writer"), nil),
		Vpc:                   awsec2.NewVpc(stack, jsii.String("Vpc"), &awsec2.VpcProps{MaxAzs: jsii.Number(2)}),
		DefaultDatabaseName:   jsii.String("shop"),
		CloudwatchLogsExports: jsii.Strings("iam-db-auth-error"),
	})

	iamAuth := cdkauroraiamauth.NewAuroraIamAuth(stack, jsii.String("IamAuth"), &cdkauroraiamauth.AuroraIamAuthProps{Cluster: cluster})
	mario := iamAuth.AddUser(jsii.String("mario.rossi@example.com"), nil)

	operator := awsiam.NewRole(stack, jsii.String("Operator"), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
	// Without a grant: may not sign in.
	awsiam.NewRole(stack, jsii.String("Visitor"), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})

	// `cdk deploy -c grant=false` takes the access away again.
	if stack.Node().TryGetContext(jsii.String("grant")) != "false" {
		mario.GrantConnect(operator, nil)
	}
	awscdk.NewCfnOutput(stack, jsii.String("Connect"), &awscdk.CfnOutputProps{Value: mario.PsqlCommand(nil)})
	app.Synth(nil)
}

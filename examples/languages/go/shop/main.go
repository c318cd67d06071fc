// A service, the migrations that make its tables, and people who may read them.
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
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
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

	migrator := iamAuth.AddUser(jsii.String("migrator"), &cdkauroraiamauth.AddDatabaseUserOptions{
		Privileges: &[]cdkauroraiamauth.Privileges{
			cdkauroraiamauth.Privileges_CreateObjects(&cdkauroraiamauth.CreateObjectsPrivilegesOptions{Database: jsii.String("shop")}),
		},
	})

	// To rename this user later, keep the id and pass another name: Username: jsii.String("purchases").
	orders := iamAuth.AddUser(jsii.String("orders"), &cdkauroraiamauth.AddDatabaseUserOptions{
		Privileges: &[]cdkauroraiamauth.Privileges{
			cdkauroraiamauth.Privileges_ReadWrite(&cdkauroraiamauth.ReadWritePrivilegesOptions{
				Database:         jsii.String("shop"),
				ObjectsCreatedBy: &[]cdkauroraiamauth.IDatabaseRole{migrator},
			}),
		},
	})
	readers := iamAuth.AddRole(jsii.String("readers"), &cdkauroraiamauth.AddDatabaseRoleOptions{
		Privileges: &[]cdkauroraiamauth.Privileges{
			cdkauroraiamauth.Privileges_ReadOnly(&cdkauroraiamauth.ReadOnlyPrivilegesOptions{
				Database:         jsii.String("shop"),
				ObjectsCreatedBy: &[]cdkauroraiamauth.IDatabaseRole{migrator},
			}),
		},
	})
	analysts := iamAuth.AddUsers(jsii.String("Analysts"), &cdkauroraiamauth.DatabaseUsersOptions{
		Usernames:  jsii.Strings("ada", "grace"),
		Privileges: &[]cdkauroraiamauth.Privileges{cdkauroraiamauth.Privileges_MemberOf(readers)},
	})

	for _, user := range []cdkauroraiamauth.IDatabaseUser{migrator, orders, analysts.User(jsii.String("ada")), analysts.User(jsii.String("grace"))} {
		role := awsiam.NewRole(stack, jsii.String(*user.Username()+" role"), &awsiam.RoleProps{AssumedBy: awsiam.NewAccountRootPrincipal()})
		user.GrantConnect(role, nil)
	}
	app.Synth(nil)
}

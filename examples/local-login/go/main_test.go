// Read, not run: a local database for the tests of a package, and the environment of an application.
package orders

import (
	"log"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func cli(args ...string) string {
	command := exec.Command("npx", append([]string{"cdk-aurora-iam-auth-cli"}, args...)...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		log.Fatalf("%v: %v", command.Args, err)
	}
	return string(output)
}

func TestMain(m *testing.M) {
	app := os.Getenv("CDK_OUT")
	if app == "" {
		app = "cdk.out"
	}
	line := regexp.MustCompile(`^\. '(.+)' #`).FindStringSubmatch(cli("up", app, "--user", "orders", "--detach"))
	file, err := os.ReadFile(line[1])
	if err != nil {
		log.Fatal(err)
	}
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	for _, variable := range regexp.MustCompile(`(?m)^export (\w+)='(.*)'$`).FindAllStringSubmatch(string(file), -1) {
		os.Setenv(variable[1], variable[2])
	}
	code := m.Run()
	cli("down")
	os.Exit(code)
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
)

// The same as program.mjs, for a recipe in Go, with which it is compiled.
func main() {
	statements := bufio.NewScanner(os.Stdin)
	for statements.Scan() {
		answer, err := query(context.Background(), statements.Text())
		if err != nil {
			answer = "error: " + strings.Join(strings.Fields(err.Error()), " ")
		}
		fmt.Println("> " + answer)
	}
	closePool()
}

// Answers tab-separated pairs with github.com/bitnami/go-version.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/bitnami/go-version/pkg/version"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		left, right, _ := strings.Cut(in.Text(), "\t")
		a, wrongA := version.Parse(left)
		b, wrongB := version.Parse(right)
		if wrongA != nil || wrongB != nil {
			fmt.Fprintln(out, "E")
			continue
		}
		fmt.Fprintln(out, a.Compare(b))
	}
}

package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/finarc/finarc/archive"
	"github.com/spf13/cobra"
)

// version is set by the linker (see Makefile); without it the module's version
// tells.
var version string

// versionInfo is what version --json prints.
type versionInfo struct {
	Version string `json:"version"`
	Format  int    `json:"archive_format"` // the newest archive format that this program reads, and the one it writes
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func (a *app) versionCommand() *cobra.Command {
	return reports(&cobra.Command{
		Use:     "version",
		Short:   "Say which finarc this is",
		Example: "  finarc version --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if a.json {
				return a.writeJSON(v)
			}
			_, err := fmt.Fprintf(a.out, "finarc %s (archive format %d, %s %s/%s)\n", v.Version, v.Format, v.Go, v.OS, v.Arch)
			return err
		},
	})
}

func buildVersion() versionInfo {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	return versionInfo{
		Version: cmp.Or(v, "(devel)"), Format: archive.Version,
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
	}
}

// userAgent is how finarc names itself to servers.
func userAgent(contact string) string {
	agent := "finarc/" + buildVersion().Version + " (+https://github.com/finarc/finarc"
	if contact != "" {
		agent += "; " + contact
	}
	return agent + ")"
}

package main

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/finarc/finarc/archive"
)

// version is set by the linker (see Makefile); without it the module's version
// tells.
var version string

type versionInfo struct {
	Version string `json:"version"`
	Format  int    `json:"archive_format"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
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

package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
)

//go:embed assets/*
var assetFiles embed.FS

// assets are the files that pages bring with them. Their addresses have a hash of
// what is in them, so that browsers may keep them for ever.
type assets struct {
	byAddress map[string][]byte // by the last part of the address
	addresses map[string]string // by name
}

// hashLength is how many hexadecimal digits of a hash an address has.
const hashLength = 12

func loadAssets() (*assets, error) {
	a := &assets{byAddress: make(map[string][]byte), addresses: make(map[string]string)}
	files, err := assetFiles.ReadDir("assets")
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	for _, file := range files {
		body, err := assetFiles.ReadFile(path.Join("assets", file.Name()))
		if err != nil {
			return nil, fmt.Errorf("assets: %w", err)
		}
		sum := sha256.Sum256(body)
		name, kind, _ := strings.Cut(file.Name(), ".")
		address := name + "." + hex.EncodeToString(sum[:])[:hashLength] + "." + kind
		a.byAddress[address], a.addresses[file.Name()] = body, "/assets/"+address
	}
	return a, nil
}

// address returns where a file is served.
func (a *assets) address(name string) (string, error) {
	if at := a.addresses[name]; at != "" {
		return at, nil
	}
	return "", fmt.Errorf("no asset %q", name)
}

// kindOf returns the media type of a file.
func kindOf(name string) string {
	return map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}[path.Ext(name)]
}

// asset answers with a file.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	body, ok := s.assets.byAddress[name]
	if !ok {
		return &failure{status: http.StatusNotFound, about: msgNoPage}
	}
	w.Header().Set("Content-Type", kindOf(name))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return ignoreGone(w.Write(body))
}

// favicon answers browsers that ask for the icon by its usual name.
func (s *Server) favicon(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Location", s.assets.addresses["icon.svg"])
	w.WriteHeader(http.StatusFound)
	return nil
}

package server

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

// openAPI describes the native face; a test holds it true.
//
//go:embed openapi.yaml
var openAPI []byte

// getHealth says that the process serves; nothing else is tried.
func (s *Server) getHealth(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// getReady does the real operation: it writes a row and an object and reads both back.
func (s *Server) getReady(c echo.Context) error {
	if err := s.Store.Ready(c.Request().Context(), s.Node, s.Now()); err != nil {
		s.Log.Error("not ready", "err", err)
		p := problem("unavailable", "")
		p.retryAfter = 5
		return p
	}
	if !s.ready.Load() {
		p := problem("unavailable", "")
		p.retryAfter = 5
		return p
	}
	return c.JSON(http.StatusOK, map[string]any{"status": "ready", "node": s.Node, "directory": s.directory().Version()})
}

func (s *Server) getOpenAPI(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml", openAPI)
}

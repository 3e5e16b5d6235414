package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/truc-lienthong/truc/routing"
	"github.com/truc-lienthong/truc/server/edxml"
)

// document is openapi.yaml, read once.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation())
})

func openapi(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return doc
}

// TestOpenAPIRoutes: every route that is served is described, and every described one is served.
func TestOpenAPIRoutes(t *testing.T) {
	t.Parallel()
	described := map[string]bool{}
	for path, item := range openapi(t).Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	served := map[string]bool{}
	for _, r := range open {
		served[r.method+" "+r.path] = true
	}
	for _, r := range native {
		parts := strings.Split(r.path, "/")
		for i, p := range parts {
			if name, ok := strings.CutPrefix(p, ":"); ok {
				parts[i] = "{" + name + "}"
			}
		}
		served[r.method+" /api/v1"+strings.Join(parts, "/")] = true
	}
	for route := range served {
		if !described[route] {
			t.Errorf("%s is served but not described", route)
		}
	}
	for route := range described {
		if !served[route] {
			t.Errorf("%s is described but not served", route)
		}
	}
}

// TestOpenAPIProblems: the codes in the document are those of problem.go's table, and those that are put together.
func TestOpenAPIProblems(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, code := range openapi(t).Components.Schemas["ProblemCode"].Value.Enum {
		listed[code.(string)] = true
	}
	known := map[string]bool{"recipient_doubled": true}
	for code := range problems {
		known[code] = true
	}
	for _, f := range []routing.Fault{routing.CodeMalformed, routing.CodeUnknown, routing.CodeClosed, routing.CodeLocked, routing.CodeAmbiguous} {
		known["code_"+string(f)] = true
	}
	for _, d := range []edxml.Defect{edxml.Missing, edxml.TooLong, edxml.Malformed, edxml.UnknownCode} {
		known["edxml_"+string(d)] = true
	}
	if !maps.Equal(listed, known) {
		for code := range known {
			if !listed[code] {
				t.Errorf("%s is not listed", code)
			}
		}
		for code := range listed {
			if !known[code] {
				t.Errorf("%s is listed, but nothing says it", code)
			}
		}
	}
}

// TestOpenAPIExamples: every body has an example, and it is a full one: all that its schema names is shown somewhere.
func TestOpenAPIExamples(t *testing.T) {
	t.Parallel()
	doc := openapi(t)
	shown := map[*openapi3.Schema]map[string]bool{}
	each := func(where string, content openapi3.Content) {
		for media, c := range content {
			switch {
			case c.Example == nil && strings.Contains(media, "json") && c.Schema.Ref == "":
				t.Errorf("%s: %s has no example", where, media)
			case c.Example == nil && !strings.Contains(media, "json"):
				t.Errorf("%s: %s has no example", where, media)
			case c.Example != nil:
				show(shown, c.Schema.Value, c.Example)
			}
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody != nil {
				each(method+" "+path, op.RequestBody.Value.Content)
			}
			for status, response := range op.Responses.Map() {
				each(method+" "+path+" "+status, response.Value.Content)
			}
		}
	}
	for name, schema := range doc.Components.Schemas {
		for property := range schema.Value.Properties {
			if name == "Problem" && slices.Contains([]string{"id", "existing"}, property) || name == "File" && property == "url" {
				continue // shown by the conversations
			}
			if !shown[schema.Value][property] && name != "Problem" {
				t.Errorf("no example shows %s.%s", name, property)
			}
		}
	}
}

// show notes which properties of which schemas an example has.
func show(shown map[*openapi3.Schema]map[string]bool, schema *openapi3.Schema, example any) {
	switch value := example.(type) {
	case []any:
		for _, v := range value {
			if schema.Items != nil {
				show(shown, schema.Items.Value, v)
			}
		}
	case map[string]any:
		if shown[schema] == nil {
			shown[schema] = map[string]bool{}
		}
		for name, v := range value {
			shown[schema][name] = true
			if property := schema.Properties[name]; property != nil {
				show(shown, property.Value, v)
			}
		}
	}
}

// operation finds what the document says of a request; nil when it knows no such path or method.
func operation(t testing.TB, method, path string) *openapi3.Operation {
	t.Helper()
	for pattern, item := range openapi(t).Paths.Map() {
		if fits(strings.ReplaceAll(pattern, "{", ":"), path) {
			return item.Operations()[method]
		}
	}
	return nil
}

// truthful checks an answer against the document: its status is described, and its body and media type are as described.
func truthful(t testing.TB, request *http.Request, answer reply) {
	t.Helper()
	if err := describedAs(operation(t, request.Method, request.URL.Path), openapi(t), answer); err != nil {
		t.Errorf("%s %s answers %d, which openapi.yaml does not describe: %v\n%.1500s", request.Method, request.URL, answer.StatusCode, err, answer.raw)
	}
}

func describedAs(op *openapi3.Operation, doc *openapi3.T, answer reply) error {
	var response *openapi3.ResponseRef
	switch {
	case op == nil && answer.StatusCode >= 400:
		response = doc.Components.Responses["Problem"]
	case op == nil:
		return fmt.Errorf("no such operation")
	default:
		if response = op.Responses.Status(answer.StatusCode); response == nil && answer.StatusCode >= 400 {
			response = op.Responses.Default()
		}
	}
	if response == nil {
		return fmt.Errorf("no such status")
	}
	if answer.Request.Method == http.MethodHead || len(answer.raw) == 0 && len(response.Value.Content) == 0 {
		return nil
	}
	media, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
	content := response.Value.Content.Get(media)
	if content == nil {
		return fmt.Errorf("media type %q", media)
	}
	if !strings.HasSuffix(media, "json") {
		return nil
	}
	var body any
	if err := json.Unmarshal(answer.raw, &body); err != nil {
		return err
	}
	return content.Schema.Value.VisitJSON(body, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation(), openapi3.VisitAsResponse())
}

// asked checks a request's JSON body that was taken against the document.
func asked(t testing.TB, method, path, media string, raw []byte) {
	t.Helper()
	op := operation(t, method, path)
	if op == nil || op.RequestBody == nil {
		t.Errorf("openapi.yaml describes no body for %s %s", method, path)
		return
	}
	schema := op.RequestBody.Value.Content.Get(media).Schema.Value
	if media == "multipart/form-data" {
		schema = schema.Properties["dispatch"].Value
	}
	var body any
	check(t, json.Unmarshal(raw, &body))
	if err := schema.VisitJSON(body, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation(), openapi3.VisitAsRequest()); err != nil {
		t.Errorf("%s %s takes what openapi.yaml does not describe: %v\n%s", method, path, err, raw)
	}
}

// described checks a webhook's call against the document.
func described(t testing.TB, one *push) {
	t.Helper()
	op := openapi(t).Webhooks["item"].Post
	for _, p := range op.Parameters {
		if err := p.Value.Schema.Value.VisitJSON(one.header.Get(p.Value.Name), openapi3.EnableJSONSchema2020()); err != nil {
			t.Errorf("a webhook's header %s: %v", p.Value.Name, err)
		}
	}
	var body any
	check(t, json.Unmarshal(one.body, &body))
	if err := op.RequestBody.Value.Content.Get("application/json").Schema.Value.VisitJSON(body, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation()); err != nil {
		t.Errorf("a webhook that openapi.yaml does not describe: %v\n%s", err, one.body)
	}
}

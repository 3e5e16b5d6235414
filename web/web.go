// Package web answers: what do people see and press? It renders the pages of Trục on the server, in Vietnamese first and
// in English by a switch. Every page works without a script; reads come straight from storage, and every change goes
// through a verb of server, so that it is audited.
package web

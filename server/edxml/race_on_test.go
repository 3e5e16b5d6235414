//go:build race

package edxml

const underRace = true

//go:build ignore

// This program made address.tsv from the npm package's address.json:
//
//	go run extract.go path/to/package/address.json > address.tsv
//
// It keeps of each province and ward the code and the name (composed to NFC) and of each ward its province, in the
// package's order. ward_mappings, the way from the old communes to the new, is left out until something here reads it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"golang.org/x/text/unicode/norm"
)

type table struct {
	Name string
	Data []struct {
		Name     string
		Province string `json:"province_code"`
		Ward     string `json:"ward_code"`
	}
}

func main() {
	raw, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var tables []table
	if err := json.Unmarshal(raw, &tables); err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, t := range tables {
		for _, r := range t.Data {
			switch t.Name {
			case "provinces":
				fmt.Fprintf(out, "P\t%s\t%s\n", r.Province, norm.NFC.String(r.Name))
			case "wards":
				fmt.Fprintf(out, "W\t%s\t%s\t%s\n", r.Ward, r.Province, norm.NFC.String(r.Name))
			}
		}
	}
}

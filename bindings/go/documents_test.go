package slipstream

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the package exports: functions, methods, types, constants, variables and fields, and which of them say nothing.
func exported(t *testing.T) (names map[string]bool, silent []string) {
	t.Helper()
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", func(f os.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, parser.ParseComments)
	must(t, err)
	names = map[string]bool{}
	add := func(name, text string) {
		names[name] = true
		if text == "" {
			silent = append(silent, name)
		}
	}
	funcs := func(of string, list []*doc.Func) {
		for _, f := range list {
			if f.Name == "String" || f.Name == "Error" { // of fmt.Stringer and error
				names[f.Name] = true
				continue
			}
			add(f.Name, f.Doc)
			if of != "" {
				names[of+"."+f.Name] = true
			}
		}
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, name := range v.Names {
				add(name, v.Doc)
			}
		}
	}
	all := doc.New(packages["slipstream"], "slipstream", 0)
	values(all.Consts)
	values(all.Vars)
	funcs("", all.Funcs)
	for _, typ := range all.Types {
		comment := typ.Doc
		for _, spec := range typ.Decl.Specs {
			if s := spec.(*ast.TypeSpec); s.Name.Name == typ.Name && s.Doc.Text() != "" {
				comment = s.Doc.Text()
			}
			if s, is := spec.(*ast.TypeSpec).Type.(*ast.StructType); is {
				for _, field := range s.Fields.List {
					for _, name := range field.Names {
						names[name.Name] = true
						names[typ.Name+"."+name.Name] = true
					}
				}
			}
		}
		add(typ.Name, comment)
		values(typ.Consts)
		values(typ.Vars)
		funcs("", typ.Funcs)
		funcs(typ.Name, typ.Methods)
	}
	return names, silent
}

func TestEveryExportedNameHasItsComment(t *testing.T) {
	names, silent := exported(t)
	if len(names) < 200 {
		t.Fatalf("%d names: they were not found", len(names))
	}
	if len(silent) > 0 {
		t.Errorf("without a comment: %v", silent)
	}
}

func TestTheTablesOfTheReadmeNameWhatExists(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	must(t, err)
	names, _ := exported(t)
	code := regexp.MustCompile("`([^`]+)`")
	name := regexp.MustCompile(`^(?:[a-z]+\.)?([A-Z]\w*(?:\.[A-Z]\w*)?)`)
	seen := 0
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, cell := range cells[1:] {
			for _, found := range code.FindAllStringSubmatch(cell, -1) {
				if n := name.FindStringSubmatch(found[1]); n != nil {
					seen++
					if !names[n[1]] {
						t.Errorf("there is no %s", found[1])
					}
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("%d names: the tables were not found", seen)
	}
}

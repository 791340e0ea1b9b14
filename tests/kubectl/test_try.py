from tests.kubectl.conftest import *
import pytest
def test_try(person):
    w=person.world
    w.grant(); w.role(); w.settle()
    for a in (["list"],["explain","orders"],["tree","orders"],["events","orders"],["top"],["classes"],["servers","-n",w.named("platform")],["grants"],["credentials","orders"],["psql","orders","--","-Atc","select current_user"],["who-uses","orders"],["who-uses","orders","--admin"],["pause","orders"],["resume","orders"],["approve","orders"],["rotate","orders"],["wait","orders"],["check"],["version"],["init","claim","x"],["completion"],["explain","roleclaim/reports","-n",w.named("bi")],["explain","databaseclass/"+w.named("shared")],["explain","nope"],["report","-f","/tmp/r.zip","--force","--verify"],["__complete","ex"], ["explain","orders","-o","yaml"]):
        s=person.sees(*a) if a[0]!="psql" else person.says(*a)
        print("$",*a, "->",s.code); print(s.out); print("ERR",s.err) if s.err else None

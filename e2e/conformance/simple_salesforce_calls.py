"""simple-salesforce over TLS; prints one JSON object per call for the test to judge."""

import json
import sys

from simple_salesforce import Salesforce, SalesforceLogin
from simple_salesforce.exceptions import SalesforceMalformedRequest

url, username = sys.argv[1:3]


def say(name, value):
    print(json.dumps({"call": name, "value": value}))


session, host = SalesforceLogin(username=username, password="simulator1", security_token="", scratch_url=url, sf_version="62.0")
say("login", host)
sf = Salesforce(instance_url=url, session_id=session, version="67.0")
say("query", sf.query("SELECT Id, Name FROM User ORDER BY Name")["totalSize"])
made = sf.Account.create({"Name": "Barnacle"})
say("create", made["id"])
say("update", sf.Account.update(made["id"], {"Industry": "Energy"}))
say("get", sf.Account.get(made["id"])["Industry"])
rows = [{"Name": f"Mussel {i}"} for i in range(250)]
say("bulk2", sf.bulk2.Account.insert(records=rows)[0]["numberRecordsProcessed"])
say("bulk2 query", len("".join(sf.bulk2.Account.query("SELECT Id FROM Account WHERE Name LIKE 'Mussel %'")).strip().splitlines()) - 1)
say("limits", sf.limits()["DailyApiRequests"]["Max"] > 0)
say("describe", sf.Account.describe()["name"])
say("tooling", sf.toolingexecute("query/?q=SELECT+Id+FROM+ApexClass")["totalSize"])
say("mdapi", sf.mdapi.describe_metadata is not None)
try:
    sf.query("SELECT Nothing__c FROM Account")
except SalesforceMalformedRequest as error:
    say("wrong query", error.content[0]["errorCode"])
say("delete", sf.Account.delete(made["id"]))

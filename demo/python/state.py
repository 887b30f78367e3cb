"""What all routes share: the accounts, the tokens, who may do what, and how to reach people."""

from __future__ import annotations

import os
from typing import Annotated

from donjon import Claims
from donjon.fastapi import Authorizer, BearerAuth, SessionAuth
from donjon.settings import open_settings
from fastapi import Depends

from accounts import Accounts
from contacts import Contacts, keys
from devices import manager
from gateway import Gateway
from limits import address
from passwords import Passwords
from policies import read_policy
from tokens import Tokens

passwords = Passwords()
accounts = Accounts(passwords)
tokens = Tokens(manager)
contacts = Contacts()
gateway = Gateway(open_settings(os.environ, keys.keyring))

auth = BearerAuth(tokens)
browsers = SessionAuth(manager, address=address)
may = Authorizer(auth, read_policy())

User = Annotated[Claims, Depends(auth.current_user)]

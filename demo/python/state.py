"""What all routes share: the accounts, the tokens, and who may do what."""

from __future__ import annotations

from typing import Annotated

from donjon import Claims
from donjon.fastapi import Authorizer, BearerAuth
from fastapi import Depends

from accounts import Accounts
from passwords import Passwords
from policies import read_policy
from tokens import Tokens

passwords = Passwords()
accounts = Accounts(passwords)
tokens = Tokens()

auth = BearerAuth(tokens)
may = Authorizer(auth, read_policy())

User = Annotated[Claims, Depends(auth.current_user)]

"""Keeping the tokens that a network grants, sealed for their account."""

from core.vault import Vault, token_context
from db.models.account import Account
from platforms.base import TokenGrant


def keep_grant(vault: Vault, account: Account, grant: TokenGrant) -> None:
    """Put a fresh token on an account that is locked; a refresh token that the network left out stays as it is."""

    def seal(token: str, name: str) -> bytes:
        return vault.seal(token, context=token_context(str(account.workspace_id), str(account.id), name))

    account.access_token = seal(grant.access_token, "access_token")
    if grant.refresh_token is not None:
        account.refresh_token = seal(grant.refresh_token, "refresh_token")
    account.token_expires_at = grant.expires_at

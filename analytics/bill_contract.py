"""The contract of a bill: the `[contract]` table of the box's configuration, or of a file of its own."""

from __future__ import annotations

import dataclasses
import tomllib
from decimal import Decimal
from pathlib import Path

from analytics.bill_registers import Hours
from analytics.tariff import Tariffs, trv
from analytics.tariff_offer import load_offer
from gateway.config import Contract
from gateway.config_rules import Checker, ConfigError
from gateway.errors import Misconfigured, Text


def load_contract(path: Path) -> Contract:
    """Return the contract of a file, its `prices_file` made absolute; raise Misconfigured with every problem."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(
            Text(
                f"Le contrat {path} ne se lit pas : {error.strerror}.",
                f"The contract {path} cannot be read: {error.strerror}.",
            )
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(
            Text(f"{path} n’est pas du TOML lisible : {error}.", f"{path} is not readable TOML: {error}."),
            Text("Corrigez la ligne indiquée.", "Mend the line it names."),
        ) from None
    # a file of the bare keys is understood too
    table = raw if "option" in raw else raw.get("contract")
    if table is None:
        raise Misconfigured(
            Text(f"{path} n’a pas de table [contract].", f"{path} has no [contract] table."),
            Text('Écrivez [contract], puis option = "base".', 'Write [contract], then option = "base".'),
        )
    checker = Checker()
    contract = checker.table(Contract, table, "contract")
    if contract is None or checker.problems:
        raise ConfigError(path, checker.problems)
    if contract.prices_file:
        contract = dataclasses.replace(contract, prices_file=str(path.absolute().parent / contract.prices_file))
    return contract


def tariffs_of(contract: Contract) -> Tariffs:
    """Return where the prices of a contract are: its own file, else the regulated grids; raise OfferError."""
    return load_offer(Path(contract.prices_file)) if contract.prices_file else trv()


def hours_of(contract: Contract) -> Hours:
    """Return the off-peak hours of a contract."""
    return Hours(contract.off_peak, contract.off_peak_summer)


def power_of(contract: Contract) -> Decimal:
    """Return the subscribed power, in kVA."""
    return Decimal(str(contract.subscribed_kva))

"""Every meter that can be simulated: its mode, its contract, its phases. `foyer demo --meter NAME` chooses one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.errors import Text

_NIGHT = ("22:00-06:00",)


@dataclass(frozen=True, slots=True)
class Variant:
    """One meter. `producer` tells whether it counts what is injected (historic mode never says it); `overload` that a
    workshop at home overloads it now and then; `events` that it has something to say of itself.
    """

    text: Text
    mode: Literal["standard", "historic"] = "standard"
    option: str = "hphc"
    phases: int = 1
    subscribed_kva: int = 6
    producer: bool = True
    pilot: bool = False
    overload: bool = False
    events: bool = False

    @property
    def off_peak(self) -> tuple[str, ...]:
        """The off-peak hours of the contract."""
        return _NIGHT if self.option in ("hphc", "tempo") else ()

    @property
    def counts_export(self) -> bool:
        """Whether the TIC tells what is injected."""
        return self.producer and self.mode == "standard"


METERS: dict[str, Variant] = {
    "standard": Variant(Text("HP/HC, vente du surplus", "peak and off-peak, surplus sold")),
    "standard-base": Variant(Text("un seul tarif", "one tariff"), option="base"),
    "standard-consumer": Variant(
        Text("HP/HC, l’injection n’est pas comptée", "peak and off-peak, injection not counted"), producer=False
    ),
    "standard-three-phase": Variant(Text("triphasé, 12 kVA", "three phases, 12 kVA"), phases=3, subscribed_kva=12),
    "standard-tempo": Variant(Text("Tempo, 9 kVA", "Tempo, 9 kVA"), option="tempo", subscribed_kva=9),
    "standard-three-phase-tempo": Variant(
        Text("Tempo, triphasé, 12 kVA", "Tempo, three phases, 12 kVA"), option="tempo", phases=3, subscribed_kva=12
    ),
    "standard-ejp": Variant(Text("EJP, 9 kVA", "EJP, 9 kVA"), option="ejp", subscribed_kva=9),
    "standard-pilot": Variant(Text("compteur des tout premiers", "one of the very first meters"), pilot=True),
    "standard-overload": Variant(
        Text("un atelier dépasse l’abonnement, le compteur menace de couper", "a workshop overloads it"), overload=True
    ),
    "standard-events": Variant(
        Text("surtension, capot ouvert, horloge perdue, message", "overvoltage, cover open, clock lost, message"),
        events=True,
    ),
    "historic": Variant(Text("mode historique, HP/HC", "historic mode, peak and off-peak"), mode="historic"),
    "historic-base": Variant(Text("mode historique, un seul tarif", "historic mode, one tariff"), "historic", "base"),
    "historic-tempo": Variant(Text("mode historique, Tempo", "historic mode, Tempo"), "historic", "tempo", 1, 9),
    "historic-ejp": Variant(Text("mode historique, EJP", "historic mode, EJP"), "historic", "ejp", 1, 9),
    "historic-three-phase": Variant(
        Text("mode historique, triphasé", "historic mode, three phases"), "historic", phases=3, subscribed_kva=12
    ),
    "historic-overload": Variant(
        Text("mode historique, dépassements", "historic mode, overloads"), "historic", overload=True
    ),
    "historic-three-phase-overload": Variant(
        Text("mode historique, triphasé, dépassements", "historic mode, three phases, overloads"),
        "historic",
        phases=3,
        subscribed_kva=12,
        overload=True,
    ),
}
"""Every variant, by the name that the command takes."""

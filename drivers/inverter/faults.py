"""What can go wrong between the box and an inverter, each with its sentence. All may pass by themselves."""

from __future__ import annotations

from typing import ClassVar

from gateway.errors import Text, Transient

_DEVICE_FAILURE = 4
_BUSY = 6
_GATEWAY_CODES = (10, 11)

_EXCEPTIONS: dict[int, Text] = {
    1: Text("fonction refusée", "function refused"),
    2: Text("adresse inconnue de l’appareil", "address unknown to the device"),
    3: Text("quantité refusée", "quantity refused"),
    _DEVICE_FAILURE: Text("défaut de l’appareil", "device failure"),
    5: Text("demande encore en cours", "request still being worked on"),
    _BUSY: Text("appareil occupé", "device busy"),
    10: Text("passerelle sans chemin vers l’appareil", "gateway without a path to the device"),
    11: Text("l’appareil ne répond pas à la passerelle", "the device does not answer the gateway"),
}


class LinkFault(Transient):
    """A request that brought no usable answer. `code` is stable, for programs."""

    code: ClassVar[str] = "link"

    @property
    def absent(self) -> bool:
        """Whether this is what a sleeping or switched-off inverter looks like."""
        return True


class Refused(LinkFault):
    """Nobody listens on the port."""

    code = "refused"

    def __init__(self, where: str) -> None:
        super().__init__(
            Text(f"L’onduleur refuse la connexion ({where}).", f"The inverter refuses the connection ({where})."),
            Text(
                "Vérifiez qu’il est allumé, que Modbus y est activé, et qu’aucun autre programme ne l’occupe.",
                "Check that it is on, that Modbus is enabled in it, and that no other program keeps it busy.",
            ),
        )


class Unreachable(LinkFault):
    """No way to the device: no route, no such name, or no reply to the connection."""

    code = "unreachable"

    def __init__(self, where: str) -> None:
        super().__init__(
            Text(f"L’onduleur est introuvable sur le réseau ({where}).", f"The inverter is not found ({where})."),
            Text(
                "Vérifiez son adresse, et qu’il est relié à la box.",
                "Check its address, and that it is connected to the router.",
            ),
        )


class Silent(LinkFault):
    """The way is open and nothing comes back."""

    code = "silent"

    def __init__(self, where: str) -> None:
        super().__init__(
            Text(f"L’onduleur ne répond pas ({where}).", f"The inverter does not answer ({where})."),
            Text(
                "Vérifiez qu’il est allumé, et le numéro d’unité dans son adresse (unit=…).",
                "Check that it is on, and the unit number in its address (unit=…).",
            ),
        )


class Closed(LinkFault):
    """The device closed the connection instead of answering."""

    code = "closed"

    def __init__(self, where: str) -> None:
        super().__init__(
            Text(f"L’onduleur a fermé la connexion ({where}).", f"The inverter closed the connection ({where})."),
            Text(
                "Un autre programme le lit peut-être : beaucoup d’onduleurs n’en acceptent qu’un.",
                "Another program may be reading it: many inverters accept only one.",
            ),
        )


class NoPort(LinkFault):
    """The serial adapter is not there."""

    code = "no-port"

    def __init__(self, where: str) -> None:
        super().__init__(
            Text(f"L’adaptateur série {where} est absent.", f"The serial adapter {where} is missing."),
            Text("Branchez-le, ou corrigez son chemin.", "Plug it in, or mend its path."),
        )


class PortBusy(LinkFault):
    """Another program holds the serial adapter, or it fails."""

    code = "port-busy"

    def __init__(self, where: str) -> None:
        super().__init__(
            Text(f"Le port {where} ne s’ouvre pas.", f"The port {where} does not open."),
            Text("Arrêtez l’autre programme qui s’en sert.", "Stop the other program that uses it."),
        )

    @property
    def absent(self) -> bool:
        """Return False: this is the box's own port, whatever the inverter does."""
        return False


class ExceptionReply(LinkFault):
    """The device answers that it will not answer. `number` is the Modbus exception code."""

    code = "exception"

    def __init__(self, where: str, number: int) -> None:
        reason = _EXCEPTIONS.get(number, Text(f"code {number}", f"code {number}"))
        super().__init__(
            Text(
                f"L’onduleur refuse la lecture : {reason.fr} ({where}).",
                f"The inverter refuses to be read: {reason.en} ({where}).",
            )
        )
        self.number = number

    @property
    def busy(self) -> bool:
        """Whether asking again in a moment may do."""
        return self.number == _BUSY

    @property
    def absent(self) -> bool:
        """Whether a gateway says that the inverter behind it does not answer."""
        return self.number == _DEVICE_FAILURE or self.number in _GATEWAY_CODES


class ShortReply(LinkFault):
    """The device sent another number of registers than asked: an answer to another question, or a broken one."""

    code = "short"

    def __init__(self, where: str, got: int, asked: int) -> None:
        super().__init__(
            Text(
                f"L’onduleur a envoyé {got} registres au lieu de {asked} ({where}).",
                f"The inverter sent {got} registers instead of {asked} ({where}).",
            )
        )

    @property
    def absent(self) -> bool:
        """Return False: something answered."""
        return False


class Garbled(LinkFault):
    """The device answers, but not what it announced: half awake, or an answer to another question."""

    code = "garbled"

    def __init__(self) -> None:
        super().__init__(
            Text("L’onduleur répond de façon incohérente.", "The inverter’s answers do not fit together."),
            Text(
                "C’est normal au réveil ; sinon, vérifiez le câble.",
                "This is normal while it wakes up; otherwise check the cable.",
            ),
        )

    @property
    def absent(self) -> bool:
        """Return False: something answered."""
        return False


class NotFound(LinkFault):
    """The device answers, but speaks no language of ours (yet)."""

    code = "not-sunspec"

    def __init__(self) -> None:
        super().__init__(
            Text("L’appareil répond, mais pas en SunSpec.", "The device answers, but not in SunSpec."),
            Text(
                "Activez « Modbus SunSpec » dans les réglages de l’onduleur, et vérifiez le numéro d’unité (unit=…).",
                "Enable “Modbus SunSpec” in the inverter’s settings, and check the unit number (unit=…).",
            ),
        )

    @property
    def absent(self) -> bool:
        """Return False: something answered."""
        return False


class NoInverter(LinkFault):
    """The device speaks SunSpec, and shows no inverter that this version knows."""

    code = "no-inverter-model"

    def __init__(self) -> None:
        super().__init__(
            Text(
                "L’appareil répond en SunSpec, mais n’y montre pas d’onduleur connu.",
                "The device answers in SunSpec, but shows no known inverter in it.",
            ),
            Text(
                "C’est normal au réveil ; sinon, vérifiez le numéro d’unité (unit=…).",
                "This is normal while it wakes up; otherwise check the unit number (unit=…).",
            ),
        )

    @property
    def absent(self) -> bool:
        """Return False: something answered."""
        return False


class WrongModel(LinkFault):
    """The device answers, but not as the family that the configuration names."""

    code = "wrong-model"

    def __init__(self, model: str) -> None:
        super().__init__(
            Text(
                f"L’appareil répond, mais pas comme un « {model} ».",
                f"The device answers, but not as a “{model}” does.",
            ),
            Text(
                "Vérifiez « model » et le numéro d’unité (unit=…).",
                "Check “model” and the unit number (unit=…).",
            ),
        )

    @property
    def absent(self) -> bool:
        """Return False: something answered."""
        return False

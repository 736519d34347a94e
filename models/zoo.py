"""The zoo: which architectures there are, which checkpoints lie in a folder, and loading them safely."""

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor

from models.baselines import BASELINES
from models.card import ModelCard, read_card, write_card
from models.community import COMMUNITY, community_restorer
from models.device_check import device_problem
from models.dropped_files import check_hyperparameters, check_size, found_in, unfinished
from models.errors import BrokenCheckpoint, InvalidSetting, UnknownModel
from models.file_cache import FileCache
from models.files import write_atomically
from models.memory import keep_freed_buffers
from models.network_restorer import NetworkRestorer, best_device
from models.network_size import NetworkTooLarge, described_network
from models.networks.ar_cnn import ArCnn
from models.networks.base import Network
from models.networks.cascade import Cascade
from models.networks.dncnn import DnCnn
from models.networks.edsr import Edsr
from models.networks.hr_cnn import HrCnn
from models.networks.luma_chroma import LumaChroma
from models.networks.qcn import Qcn
from models.networks.qgcn import Qgcn
from models.restorer import Restorer
from models.runtimes.choice import Runtimes, check_runtime
from models.runtimes.names import RuntimeName
from models.tensors import placed

logger = logging.getLogger(__name__)

ARCHITECTURES: dict[str, type[Network]] = {
    "cascade": Cascade,
    "ar_cnn": ArCnn,
    "dncnn": DnCnn,
    "edsr": Edsr,
    "qcn": Qcn,
    "qgcn": Qgcn,
    "hr_cnn": HrCnn,
    "luma_chroma": LumaChroma,
}
"""Every architecture by the name that cards use."""

NOT_BUILT = (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError)
"""What architectures raise where hyperparameters do not fit them."""

CARD_FILE = "card.yaml"
WEIGHTS_FILE = "weights.safetensors"
LARGEST_HALF = torch.finfo(torch.float16).max


@dataclass(frozen=True)
class ZooListing:
    """What a look into the checkpoints folder found.

    Attributes:
        cards: baselines first, then the sound checkpoints, the cheapest first, equal ones by name.
        problems: name of a folder, or of a loose file -> the sentence that says why it is left out.
    """

    cards: tuple[ModelCard, ...]
    problems: Mapping[str, str]


class Zoo:
    """The models of a checkpoints folder, loaded when first asked for and shared by all threads."""

    def __init__(
        self,
        folder: Path,
        device: str | torch.device | None = None,
        *,
        own_folder: Path | None = None,
        self_check: bool = True,
        runtime: RuntimeName = "pytorch",
    ) -> None:
        """Look at no file yet.

        Args:
            folder: holds one folder per checkpoint; it may be missing, then there are baselines only.
            device: where networks run, such as "cpu" or "cuda:1"; None chooses.
            own_folder: another one, for checkpoints that were trained here; it may be missing too. A name that is
                in both folders means the first folder's.
            self_check: take the processor instead of a GPU that computes something else; see models.device_check.
            runtime: what runs networks on the processor; PyTorch gives the same bits in every run.

        Raises:
            InvalidSetting: a device that this machine does not have, or OpenVINO on a GPU.
            MissingExtra: OpenVINO is asked for and not installed.
        """
        self.folder = Path(folder)
        self.own_folder = None if own_folder is None else Path(own_folder)
        chosen = best_device() if device is None else checked_device(device)
        self.device = usable_device(chosen) if self_check else chosen
        check_runtime(runtime, self.device)
        self.runtime: RuntimeName = runtime
        self._lock = threading.Lock()
        self._loaded: dict[tuple[str, int, int], Restorer] = {}
        self._listing = FileCache(lambda: (self._look(), self.files()))

    def cards(self) -> list[ModelCard]:
        """Baselines first, then every sound checkpoint, the cheapest first, as the folder holds them now."""
        return list(self.listing().cards)

    def listing(self) -> ZooListing:
        """The cards, and why some folders are left out; reads cards that have changed, not weights."""
        return self._listing()

    def _look(self) -> ZooListing:
        cards: list[ModelCard] = []
        problems: dict[str, str] = {}
        for folder in self._folders():
            problems |= unfinished(folder, CARD_FILE)
        for path in self._card_files():
            try:
                cards.append(_read_fitting_card(path))
            except BrokenCheckpoint as problem:
                problems[path.parent.name] = str(problem)
            except Exception as problem:  # a file of somebody else's may hold anything; the other models stay
                logger.exception("the card in %s cannot be read", path.parent.name)
                problems[path.parent.name] = (
                    f"The model card {path.parent.name}/{path.name} cannot be used ({type(problem).__name__}). A card "
                    "is a YAML mapping as docs/own-models.md shows. Correct it, or take the folder away."
                )
        cards.sort(key=lambda card: card.mmac_per_pixel)
        baselines = [baseline.card for baseline in BASELINES.values()]
        return ZooListing((*baselines, *cards), MappingProxyType(problems))

    def folder_of(self, name: str) -> Path:
        """Where the checkpoint of that name lies, or would lie."""
        if self.own_folder is not None and not (self.folder / name / CARD_FILE).is_file():
            own = self.own_folder / name
            if own.is_dir():
                return own
        return self.folder / name

    def is_own(self, name: str) -> bool:
        """Whether the checkpoint of that name was trained here, and does not come with the studio."""
        return self.own_folder is not None and self.folder_of(name).parent == self.own_folder

    def _folders(self) -> Iterator[Path]:
        return filter(None, (self.folder, self.own_folder))

    def files(self) -> Iterator[Path]:
        """Everything that a listing depends on."""
        for folder in self._folders():
            yield folder
            for path in found_in(folder):
                yield from (path, path / CARD_FILE)

    def _card_files(self) -> list[Path]:
        """Those of the first folder by name, then those that are in the other one alone."""
        found = {path.parent.name: path for path in sorted(self.folder.glob(f"*/{CARD_FILE}"))}
        for path in sorted(self.own_folder.glob(f"*/{CARD_FILE}")) if self.own_folder else []:
            found.setdefault(path.parent.name, path)
        return list(found.values())

    def load(self, name: str) -> Restorer:
        """The restorer of that name, loaded once; loaded again when its files have changed.

        Raises:
            UnknownModel: neither a baseline nor a checkpoint has that name.
            BrokenCheckpoint: its card or weights cannot be used.
        """
        if name in BASELINES:
            return BASELINES[name]
        listing = self.listing()
        if name in listing.problems:
            raise BrokenCheckpoint(listing.problems[name])
        card = next((card for card in listing.cards if card.name == name), None)
        if card is None:
            known = ", ".join(card.name for card in listing.cards)
            raise UnknownModel(
                f"There is no model called {name!r}. These are there: {known}. Choose one of them, or "
                f"train one and put it into {self.folder.name}/{name or 'NAME'}/."
            )
        folder = self.folder_of(name)
        with self._lock:
            key = (name, _changed(folder / CARD_FILE), _changed(folder / WEIGHTS_FILE))
            if key not in self._loaded:
                restorer = load_checkpoint(folder, card, self.device, self.runtime)
                self._loaded = {old: kept for old, kept in self._loaded.items() if old[0] != name}
                self._loaded[key] = restorer
            return self._loaded[key]


def estimates_quality(card: ModelCard) -> bool:
    """Whether the network judges from pixels alone how strongly a picture was compressed."""
    if card.architecture == COMMUNITY:
        return card.steerable
    return ARCHITECTURES.get(card.architecture, Network).estimates_quality


def build_network(card: ModelCard, *, only_described: bool = False) -> Network:
    """The untrained network a card describes.

    Args:
        card: from anybody.
        only_described: without the memory of its tensors, see models.network_size.

    Raises:
        BrokenCheckpoint: an unknown architecture, or hyperparameters it does not take, or too large ones.
    """
    architecture = ARCHITECTURES.get(card.architecture)
    if architecture is None:
        raise BrokenCheckpoint(
            f"The card of {card.name!r} names the architecture {card.architecture!r}. There are "
            f"{', '.join(ARCHITECTURES)}, and {COMMUNITY} for models of the community. Correct the card, or add the "
            "architecture to models/zoo.py."
        )
    try:
        check_hyperparameters(card)
        described = described_network(architecture, card.hyperparameters)
        return described if only_described else architecture(**card.hyperparameters)
    except (*NOT_BUILT, MemoryError, NetworkTooLarge) as problem:
        raise BrokenCheckpoint(
            f"The hyperparameters on the card of {card.name!r} do not build a {card.architecture} "
            f"({' '.join(str(problem).split())[:300]}). They are the keyword arguments of {architecture.__name__}. "
            "Correct the card."
        ) from problem


def load_checkpoint(
    folder: Path, card: ModelCard, device: torch.device, runtime: RuntimeName = "pytorch"
) -> NetworkRestorer:
    """Build the network of a card and fill it with the folder's weights.

    Args:
        folder: holds weights.safetensors; no other format is ever opened.
        card: the folder's card.
        device: where the network will run.
        runtime: what runs it on the processor; models of the community stay with PyTorch.

    Raises:
        BrokenCheckpoint: weights that are missing, damaged, of another network, not finite, or too large.
        MissingExtra: a model of the community, without spandrel.
    """
    if card.architecture == COMMUNITY:
        return community_restorer(read_weights(folder / WEIGHTS_FILE), card, device)
    described = build_network(card, only_described=True)
    weights = read_weights(folder / WEIGHTS_FILE)
    problems = mismatches(described.state_dict(), weights)
    if problems:
        shown = "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
        raise BrokenCheckpoint(
            f"The weights of {card.name!r} are not those of the network on its card: {shown}. Names and "
            f"sizes of all tensors must agree with {card.architecture} and its hyperparameters. Train or "
            "copy the checkpoint again."
        )
    network = build_network(card)  # as large as the weights, which are there
    network.load_state_dict(weights)
    if device.type == "cpu":
        keep_freed_buffers()
    placed(network.requires_grad_(False).eval(), device)
    other = runtime != "pytorch" and device.type == "cpu"
    runtimes = Runtimes(network, runtime) if other else None
    return NetworkRestorer(network=network, card=card, device=device, runtimes=runtimes)


def save_checkpoint(folder: Path, network: Network, card: ModelCard) -> Path:
    """Write weights in half precision, then the card; each file appears whole or not at all.

    Args:
        folder: the checkpoint's own folder, such as checkpoints/cascade; made if missing.
        network: a network of card.architecture.
        card: what it is.

    Returns:
        The folder.

    Raises:
        ValueError: a weight that is not finite or too large for half precision.
    """
    weights = {name: _to_half(name, tensor) for name, tensor in network.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / WEIGHTS_FILE, lambda path: path.write_bytes(to_bytes(weights)))
    write_atomically(folder / CARD_FILE, lambda path: write_card(card, path))
    return folder


def _read_fitting_card(path: Path) -> ModelCard:
    """A card whose name is its folder's and free, and whose architecture is known."""
    card = read_card(path)
    folder = path.parent.name
    if card.name != folder or card.name in BASELINES:
        raise BrokenCheckpoint(
            f"The card in {folder}/ gives the name {card.name!r}. The name must be the folder's, and none of "
            f"{', '.join(BASELINES)}. Rename one of the two."
        )
    if card.architecture not in (*ARCHITECTURES, COMMUNITY):
        build_network(card)  # raises, and says which there are
    return card


def read_weights(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file; no other format is ever opened.

    Raises:
        BrokenCheckpoint: missing, damaged, or with values that are no numbers.
    """
    where = f"{path.parent.name}/{path.name}"
    check_size(path)
    try:
        weights = load_file(path)
    except FileNotFoundError as problem:
        raise BrokenCheckpoint(
            f"There is no {where}. A checkpoint holds its weights in a file of that name; pickles (.pt, "
            ".pth) are never opened. Train the model, or convert its weights to safetensors."
        ) from problem
    except (SafetensorError, OSError, ValueError, MemoryError) as problem:
        raise BrokenCheckpoint(
            f"{where} is damaged or no safetensors file ({problem}). Only whole safetensors files are read. "
            "Copy or train the checkpoint again."
        ) from problem
    broken = [name for name, tensor in weights.items() if not torch.isfinite(tensor.float()).all()]
    if broken:
        raise BrokenCheckpoint(
            f"{where} holds values that are no numbers, in {broken[0]}. All weights must be finite. The "
            "training run went wrong; take an earlier checkpoint."
        )
    return weights


def mismatches(expected: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    """Tensors that are missing, unknown or of another size, one phrase each."""
    problems = [f"{name} is missing" for name in expected if name not in found]
    problems += [f"{name} is unknown" for name in found if name not in expected]
    problems += [
        f"{name} measures {list(found[name].shape)}, not {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    return problems


def _to_half(name: str, tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    if not tensor.is_floating_point():
        return tensor
    if not bool((tensor.abs() <= LARGEST_HALF).all()):
        raise ValueError(f"{name} holds values that half precision cannot, or that are no numbers")
    return tensor.half()


def _changed(path: Path) -> int:
    """When the file last changed, in nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def usable_device(device: torch.device) -> torch.device:
    """The device, or the processor where that computes something else; the log says why."""
    problem = "" if device.type == "cpu" else device_problem(device)
    if not problem:
        return device
    logger.warning(
        "%s is not used: in a check of a small network %s. The processor is used.", device, problem
    )
    return torch.device("cpu")


def checked_device(device: str | torch.device) -> torch.device:
    """The device of that name.

    Raises:
        InvalidSetting: this machine does not have it.
    """
    try:
        checked = torch.device(device)
        torch.zeros(1, device=checked)
    except (RuntimeError, AssertionError, NotImplementedError) as problem:
        words = str(problem).splitlines()[0]
        if words.startswith("Expected one of"):  # and twenty names that no machine has all of
            words = "torch knows no such name"
        raise InvalidSetting(
            f"The device {str(device)!r} cannot be used here ({words}). Devices "
            f"are cpu, cuda, cuda:1 and mps, as far as the machine has them. Use {best_device().type}, or "
            "leave the device out."
        ) from problem
    return checked

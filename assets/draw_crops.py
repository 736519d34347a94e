"""Restores one crop with every shipped model for the Models tab: python -m assets.draw_crops (half a minute)."""

from PIL import Image

from models.baselines import PLAIN
from models.images import RgbImage
from models.jpeg import Degradation, Save, degrade, read
from models.places import shipped
from models.zoo import Zoo
from studio.catalog.crops import CROPS_FOLDER, ORIGINAL, Crop, CropSeries, write_crops
from studio.session.examples import example
from training.evaluation.metrics import psnr_db
from training.evaluation.score_files import weights_of

PICTURE, QUALITY_FACTOR = "chelsea", 10
LEFT, TOP, SIDE = 104, 64, 128
"""The cat's eye: fur, a sharp edge, and a color that 4:2:0 smears."""


def crop_of(pixels: RgbImage) -> RgbImage:
    """The part that is shown and measured; models are given the whole picture."""
    return pixels[TOP : TOP + SIDE, LEFT : LEFT + SIDE]


def save(file_name: str, crop: RgbImage) -> None:
    """As lossless WebP, which is smaller than PNG."""
    Image.fromarray(crop).save(CROPS_FOLDER / file_name, lossless=True, quality=100, method=6)


def main() -> None:
    """Draw, measure and write all."""
    CROPS_FOLDER.mkdir(exist_ok=True)
    for outdated in CROPS_FOLDER.glob("*.webp"):
        outdated.unlink()
    zoo = Zoo(shipped("checkpoints"), "cpu")
    shown, step = example(PICTURE), Save(QUALITY_FACTOR)
    degraded = degrade(read(shown.read_bytes()).pixels, Degradation((step,)))
    original = crop_of(degraded.reference)
    save(ORIGINAL, original)
    crops = []
    for card in zoo.cards():
        restored = crop_of(zoo.load(card.name).restore(degraded.image).pixels)
        weights = weights_of(zoo.folder_of(card.name), card).sha256 if card.architecture else ""
        crop = Crop(card.name, round(psnr_db(restored, original), 2), weights)
        save(crop.file_name, restored)
        print(f"{card.title}: {crop.psnr_db:.2f} dB")
        crops.append(crop)
    crops.sort(key=lambda crop: (crop.model != PLAIN, crop.psnr_db))
    write_crops(CropSeries(shown.title, QUALITY_FACTOR, step.subsampling, LEFT, TOP, SIDE, tuple(crops)))


if __name__ == "__main__":
    main()

"""The JPEG layer: reading, breaking and measuring JPEG files, without any network."""

from models.jpeg.codec import read
from models.jpeg.coefficients import JpegComponent
from models.jpeg.degradation import SUBSAMPLINGS, Degradation, Degraded, Resize, Save, Step, degrade, encode
from models.jpeg.image import JpegImage
from models.jpeg.patches import degrade_pixels
from models.jpeg.planes import picture_from_planes, planes
from models.jpeg.probe import ImageFacts, probe
from models.jpeg.tables import QualityEstimate, estimated_quality_factor, quantization_tables

__all__ = [
    "SUBSAMPLINGS",
    "Degradation",
    "Degraded",
    "ImageFacts",
    "JpegComponent",
    "Resize",
    "Save",
    "Step",
    "JpegImage",
    "QualityEstimate",
    "degrade",
    "degrade_pixels",
    "encode",
    "estimated_quality_factor",
    "picture_from_planes",
    "planes",
    "probe",
    "quantization_tables",
    "read",
]

"""The JPEG layer: reading, breaking and measuring JPEG files, without any network."""

from models.jpeg.codec import SUBSAMPLINGS, JpegEncoding, encode, read
from models.jpeg.coefficients import JpegComponent
from models.jpeg.degradation import Degradation, Degraded, degrade, degrade_pixels
from models.jpeg.image import JpegImage
from models.jpeg.planes import picture_from_planes, planes
from models.jpeg.probe import ImageFacts, probe
from models.jpeg.tables import QualityEstimate, estimated_quality_factor, quantization_tables

__all__ = [
    "SUBSAMPLINGS",
    "Degradation",
    "Degraded",
    "ImageFacts",
    "JpegComponent",
    "JpegEncoding",
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

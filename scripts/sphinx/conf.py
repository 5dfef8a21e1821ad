# SPDX-License-Identifier: GPL-2.0
#
# How scripts/build-docs turns Documentation/ into HTML. In a kernel tree the
# same files are built by the kernel's own Documentation/conf.py.
#
# KERNEL_DOCS in the environment is a directory with the kernel's extensions for
# Sphinx and its scripts/kernel-doc.

import os
import sys

top = os.path.abspath('../..')
kernel = os.environ['KERNEL_DOCS']
sys.path.insert(0, os.path.join(kernel, 'Documentation/sphinx'))

project = 'iommufd'
copyright = 'the iommufd developers'
root_doc = 'iommufd'
extensions = ['kerneldoc']

kerneldoc_bin = os.path.join(kernel, 'scripts/kernel-doc')
kerneldoc_srctree = top

primary_domain = 'c'
highlight_language = 'none'
# Attributes in declarations of the headers.
c_id_attributes = ['__user', '__aligned_u64', '__aligned_le64']

html_theme = 'alabaster'
html_theme_options = {
    'description': '/dev/iommu for Linux 6.12',
    'page_width': '70em',
    'sidebar_width': '18em',
    'font_family': 'sans-serif',
}
html_sidebars = {'**': ['about.html', 'localtoc.html', 'globaltoc.html', 'searchbox.html']}
html_copy_source = False

# Draws sparsity.svg and sparsity.png from sparsity.dat; to draw again: gnuplot sparsity.gp, in this folder.

set encoding utf8
set logscale x 2
set border 3 linecolor rgb '#444444'
set tics nomirror
set grid linetype 1 linecolor rgb '#e0e0e0'
set xlabel 'training samples n'
set format x '%.0f'
set xrange [12.8:10240]
do for [format in 'svg png'] {
if (format eq 'svg') {
  set terminal svg noenhanced size 1000,680 font 'sans-serif,14' background rgb 'white'
} else {
  set terminal pngcairo noenhanced size 2000,1360 font 'sans,21' linewidth 2
}
set output 'sparsity.'.format
set multiplot layout 2,2
set ylabel 'accuracy (%)'
set yrange [*:101]
set key bottom right
plot 'sparsity.dat' index 0 using 1:($2-$3):($2+$3) with filledcurves linecolor rgb '#0072b2' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 0 using 1:2 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#0072b2' dashtype (8,4) title 'mlp, train', \
     'sparsity.dat' index 1 using 1:($2-$3):($2+$3) with filledcurves linecolor rgb '#0072b2' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 1 using 1:2 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#0072b2' title 'mlp, test', \
     'sparsity.dat' index 2 using 1:($2-$3):($2+$3) with filledcurves linecolor rgb '#d55e00' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 2 using 1:2 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#d55e00' dashtype (8,4) title 'rfm, train', \
     'sparsity.dat' index 3 using 1:($2-$3):($2+$3) with filledcurves linecolor rgb '#d55e00' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 3 using 1:2 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#d55e00' title 'rfm, test'
set ylabel 'normal alignment / chance'
set yrange [0:*]
unset key
plot 1 with lines linecolor rgb '#777777' notitle, \
     'sparsity.dat' index 0 using 1:($10-$11):($10+$11) with filledcurves linecolor rgb '#0072b2' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 0 using 1:10 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#0072b2' dashtype (8,4) title 'mlp, train', \
     'sparsity.dat' index 1 using 1:($10-$11):($10+$11) with filledcurves linecolor rgb '#0072b2' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 1 using 1:10 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#0072b2' title 'mlp, test', \
     'sparsity.dat' index 2 using 1:($10-$11):($10+$11) with filledcurves linecolor rgb '#d55e00' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 2 using 1:10 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#d55e00' dashtype (8,4) title 'rfm, train', \
     'sparsity.dat' index 3 using 1:($10-$11):($10+$11) with filledcurves linecolor rgb '#d55e00' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 3 using 1:10 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#d55e00' title 'rfm, test'
set ylabel 'effective rank of J'
set yrange [1:*]
unset key
plot 'sparsity.dat' index 0 using 1:($12-$13):($12+$13) with filledcurves linecolor rgb '#0072b2' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 0 using 1:12 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#0072b2' dashtype (8,4) title 'mlp, train', \
     'sparsity.dat' index 1 using 1:($12-$13):($12+$13) with filledcurves linecolor rgb '#0072b2' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 1 using 1:12 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#0072b2' title 'mlp, test', \
     'sparsity.dat' index 2 using 1:($12-$13):($12+$13) with filledcurves linecolor rgb '#d55e00' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 2 using 1:12 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#d55e00' dashtype (8,4) title 'rfm, train', \
     'sparsity.dat' index 3 using 1:($12-$13):($12+$13) with filledcurves linecolor rgb '#d55e00' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 3 using 1:12 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#d55e00' title 'rfm, test'
set ylabel 'nearest training point / length'
set yrange [0:*]
unset key
plot 'sparsity.dat' index 1 using 1:($14-$15):($14+$15) with filledcurves linecolor rgb '#444444' fillstyle transparent solid 0.15 noborder notitle, \
     'sparsity.dat' index 1 using 1:14 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb '#444444' title 'mlp, test'
unset multiplot
unset output
}
